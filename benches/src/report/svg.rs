//! Charts as SVG text: lines over a logarithmic axis, and groups of bars.

use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 50.0;

/// One peer's colour, the same in every picture.
pub fn colour(who: &str) -> &'static str {
    match who {
        "timer-future" => "#d1495b",
        "timer-future-1ms" => "#edae49",
        "floor" => "#8d99ae",
        "handshake" => "#c9ada7",
        "tokio-mt" => "#00798c",
        "tokio-ct" => "#66a182",
        "tokio-alt" => "#2e4057",
        "async-io" => "#8e5ea2",
        "futures-timer" => "#a47148",
        "embassy" => "#5c7f2b",
        "book" => "#444444",
        _ => "#b0b0b0",
    }
}

/// What a chart shows.
pub struct Chart<'a> {
    pub title: &'a str,
    pub y_title: &'a str,
    /// The labels below, left to right.
    pub x: &'a [&'a str],
    /// Who, and a value for each label.
    pub series: Vec<(&'a str, Vec<Option<f64>>)>,
}

struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// Whole decades around all values.
    fn new(chart: &Chart) -> Option<Self> {
        let values = chart.series.iter().flat_map(|(_, values)| values).flatten();
        let values = values.copied().filter(|value| *value > 0.0);
        let (low, high) = values.fold((f64::MAX, 0.0_f64), |(low, high), v| {
            (low.min(v), high.max(v))
        });
        (high > 0.0).then(|| Self {
            low: low.log10().floor(),
            high: high.log10().ceil(),
        })
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value.log10() - self.low) / (self.high - self.low).max(1.0);
        HEIGHT - BOTTOM - share.max(0.0) * (HEIGHT - TOP - BOTTOM)
    }
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let _ = writeln!(
        out,
        r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#
    );
}

fn frame(chart: &Chart, scale: &Scale) -> String {
    let mut out = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>
<text x="{LEFT}" y="24" font-size="15" font-weight="bold">{}</text>
<text x="{LEFT}" y="42" fill="#666666">{} (logarithmic)</text>
"##,
        chart.title, chart.y_title
    );
    let decades = scale.low as i32..=scale.high as i32;
    for decade in decades {
        let value = 10_f64.powi(decade);
        let y = scale.y(value);
        let right = WIDTH - RIGHT;
        let _ = writeln!(
            out,
            r##"<path d="M{LEFT} {y:.1}H{right}" stroke="#dddddd"/>"##
        );
        text(&mut out, LEFT - 8.0, y + 4.0, "end", &short(value));
    }
    for (at, (who, _)) in chart.series.iter().enumerate() {
        let (x, y) = (WIDTH - RIGHT + 16.0, TOP + 20.0 * at as f64);
        let colour = colour(who);
        let _ = writeln!(
            out,
            r#"<rect x="{x}" y="{y}" width="12" height="12" fill="{colour}"/>"#
        );
        text(&mut out, x + 18.0, y + 10.0, "start", who);
    }
    out
}

fn short(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{} M", value / 1e6),
        value if value >= 1e3 => format!("{} k", value / 1e3),
        value => format!("{}", (value * 1e6).round() / 1e6),
    }
}

fn step(chart: &Chart) -> f64 {
    (WIDTH - LEFT - RIGHT) / chart.x.len().max(1) as f64
}

fn labels(out: &mut String, chart: &Chart) {
    for (at, label) in chart.x.iter().enumerate() {
        text(
            out,
            LEFT + step(chart) * (at as f64 + 0.5),
            HEIGHT - BOTTOM + 20.0,
            "middle",
            label,
        );
    }
}

pub fn lines(chart: &Chart) -> Option<String> {
    let scale = Scale::new(chart)?;
    let mut out = frame(chart, &scale);
    labels(&mut out, chart);
    for (who, values) in &chart.series {
        let points: Vec<_> = values
            .iter()
            .enumerate()
            .filter_map(|(at, value)| Some((at, (*value)?)))
            .filter(|(_, value)| *value > 0.0)
            .map(|(at, value)| (LEFT + step(chart) * (at as f64 + 0.5), scale.y(value)))
            .collect();
        let path: Vec<_> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let (colour, width) = (
            colour(who),
            if who.starts_with("timer-future") {
                3
            } else {
                2
            },
        );
        let _ = writeln!(
            out,
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="{width}"/>"#,
            path.join(" ")
        );
        for (x, y) in points {
            let _ = writeln!(
                out,
                r#"<circle cx="{x:.1}" cy="{y:.1}" r="3.5" fill="{colour}"/>"#
            );
        }
    }
    out += "</svg>\n";
    Some(out)
}

pub fn bars(chart: &Chart) -> Option<String> {
    let scale = Scale::new(chart)?;
    let mut out = frame(chart, &scale);
    labels(&mut out, chart);
    let width = step(chart) * 0.84 / chart.series.len().max(1) as f64;
    for (number, (who, values)) in chart.series.iter().enumerate() {
        for (at, value) in values.iter().enumerate() {
            let Some(value) = value.filter(|value| *value > 0.0) else {
                continue;
            };
            let x = LEFT + step(chart) * (at as f64 + 0.08) + width * number as f64;
            let (y, colour) = (scale.y(value), colour(who));
            let height = HEIGHT - BOTTOM - y;
            let _ = writeln!(
                out,
                r#"<rect x="{x:.1}" y="{y:.1}" width="{:.1}" height="{height:.1}" fill="{colour}"><title>{who}: {}</title></rect>"#,
                width * 0.92,
                super::table::digits(value)
            );
        }
    }
    out += "</svg>\n";
    Some(out)
}
