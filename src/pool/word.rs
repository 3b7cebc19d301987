//! The state word of a slot: phase, LINKED bit, generation. What they mean is in slot.rs.

pub(super) const FREE: u32 = 0;
pub(super) const ARMED: u32 = 1;
pub(super) const FIRING: u32 = 2;
pub(super) const FIRED: u32 = 3;
pub(super) const ABANDONED: u32 = 4;
const PHASE: u32 = 0b111;
pub(super) const LINKED: u32 = 0b1000;
pub(super) const GENERATION: u32 = 0b1_0000;

/// A value of the state word, as somebody read it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word(pub(super) u32);

impl Word {
    #[inline]
    pub(super) fn phase(self) -> u32 {
        self.0 & PHASE
    }
    #[inline]
    pub(super) fn with_phase(self, phase: u32) -> Self {
        Self(self.0 & !PHASE | phase)
    }
    #[inline]
    pub(crate) fn is_armed(self) -> bool {
        self.phase() == ARMED
    }
    #[inline]
    pub(crate) fn is_linked(self) -> bool {
        self.0 & LINKED != 0
    }
}

impl core::fmt::Debug for Word {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let phase = match self.phase() {
            FREE => "Free",
            ARMED => "Armed",
            FIRING => "Firing",
            FIRED => "Fired",
            _ => "Abandoned",
        };
        let linked = if self.is_linked() { "+LINKED" } else { "" };
        write!(f, "{phase}{linked}#{}", self.0 / GENERATION)
    }
}
