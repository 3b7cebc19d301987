//! Percentiles.

/// A histogram with 32 buckets per power of two (3 % wide): small enough to stay in the cache.
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

const BITS: u32 = 5;

impl Histogram {
    pub fn new() -> Self {
        Self {
            counts: vec![0; 64 << BITS],
            total: 0,
            max: 0,
        }
    }

    fn bucket(value: u64) -> usize {
        let value = value.max(1 << BITS);
        let exponent = 63 - value.leading_zeros();
        ((exponent << BITS) as usize) + ((value >> (exponent - BITS)) as usize & ((1 << BITS) - 1))
    }

    pub fn add(&mut self, value: u64) {
        self.counts[Self::bucket(value)] += 1;
        self.total += 1;
        self.max = self.max.max(value);
    }

    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    pub fn total(&self) -> u64 {
        self.total
    }

    pub fn max(&self) -> u64 {
        self.max
    }

    /// The lower edge of the bucket of that quantile.
    pub fn quantile(&self, quantile: f64) -> u64 {
        let rank = (self.total as f64 * quantile) as u64;
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen > rank {
                let exponent = (at >> BITS) as u32;
                let mantissa = (at & ((1 << BITS) - 1)) as u64 | 1 << BITS;
                return (mantissa << (exponent - BITS)).min(self.max);
            }
        }
        self.max
    }
}

pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => values[len / 2],
        len => (values[len / 2 - 1] + values[len / 2]) / 2.0,
    }
}
