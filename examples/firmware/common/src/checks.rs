//! [`Checks`]: one printed line per check, and a summary line that `.ci/firmware` reads.

use crate::board::Board;
use crate::executor::Stats;

/// Counts what passed and what failed.
pub struct Checks<'a, B: Board> {
    board: &'a B,
    passed: u32,
    failed: u32,
    total: Stats,
}

impl<'a, B: Board> Checks<'a, B> {
    /// No check made yet.
    pub fn new(board: &'a B) -> Self {
        Self {
            board,
            passed: 0,
            failed: 0,
            total: Stats::default(),
        }
    }

    /// `ok`.
    pub fn that(&mut self, name: &str, ok: bool) {
        self.line(name, ok);
        self.board.print("\n");
    }

    /// `seen == wanted`.
    pub fn equal(&mut self, name: &str, seen: u32, wanted: u32) {
        self.line(name, seen == wanted);
        self.board.print(": ");
        self.board.print_number(seen);
        self.board.print(" (wanted ");
        self.board.print_number(wanted);
        self.board.print(")\n");
    }

    /// `low <= seen <= high`.
    pub fn between(&mut self, name: &str, seen: u32, low: u32, high: u32) {
        self.line(name, (low..=high).contains(&seen));
        self.board.print(": ");
        self.board.print_number(seen);
        self.board.print(" (");
        self.board.print_number(low);
        if high == u32::MAX {
            self.board.print(" or more)\n");
        } else {
            self.board.print(" to ");
            self.board.print_number(high);
            self.board.print(")\n");
        }
    }

    fn line(&mut self, name: &str, ok: bool) {
        let count = if ok {
            &mut self.passed
        } else {
            &mut self.failed
        };
        *count += 1;
        self.board.print(if ok { "  ok   " } else { "  FAIL " });
        if B::NAMES {
            self.board.print(name);
        } else {
            self.board.print_number(self.passed + self.failed);
        }
    }

    /// Adds a run of the executor to the summary.
    pub fn count(&mut self, stats: Stats) -> Stats {
        self.total.polls += stats.polls;
        self.total.sleeps += stats.sleeps;
        stats
    }

    /// Prints the summary; `true` when nothing failed and something passed.
    pub fn summary(mut self) -> bool {
        if cfg!(feature = "planted-failure") {
            self.that("a check that cannot pass", false);
        }
        self.board.print(if self.failed == 0 {
            "RESULT pass"
        } else {
            "RESULT FAIL"
        });
        for (name, number) in [
            (" checks=", self.passed + self.failed),
            (" failed=", self.failed),
            (" polls=", self.total.polls),
            (" sleeps=", self.total.sleeps),
            (" interrupts=", self.board.interrupts()),
        ] {
            self.board.print(name);
            self.board.print_number(number);
        }
        self.board.print("\n");
        self.failed == 0 && self.passed > 0
    }
}
