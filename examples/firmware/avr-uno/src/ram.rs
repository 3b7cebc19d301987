//! How much of the RAM a run has used. Nothing guards the stack of an AVR: where it grows into the static data,
//! bytes change. So what is between the two is filled first, and looked at afterwards.

use core::ops::Range;

use firmware_common::Reg;

/// The chip's. The static data begins where it begins, the stack where it ends.
const RAM: Range<usize> = 0x100..0x900;

// SAFETY (both): the halves of the stack pointer. Reading is all that happens to them.
const SPL: Reg<u8> = unsafe { Reg::at(0x5d) };
const SPH: Reg<u8> = unsafe { Reg::at(0x5e) };

extern "C" {
    /// The linker's: the end of the static data.
    static _end: u8;
}

/// The RAM that was between data and stack when the program began.
pub(crate) struct Unused(Range<usize>);

/// Bytes.
pub(crate) struct Used {
    pub(crate) data: usize,
    /// At its deepest, interrupts included.
    pub(crate) stack: usize,
    /// Above the data, and never written.
    pub(crate) left: usize,
}

const FILL: u8 = 0x5a;

impl Unused {
    /// Fills it. For the beginning of `main`.
    #[inline(always)]
    pub(crate) fn fill() -> Self {
        let from = (&raw const _end).addr();
        // Less room for what is called here.
        let to = usize::from(u16::from_le_bytes([SPL.read(), SPH.read()])) - 32;
        for address in from..to {
            let byte = core::ptr::with_exposed_provenance_mut::<u8>(address);
            // SAFETY: RAM that belongs to nobody: above the static data, below the stack.
            unsafe { byte.write_volatile(FILL) };
        }
        Self(from..to)
    }

    /// What has been used of the RAM since.
    pub(crate) fn used(self) -> Used {
        let from = self.0.start;
        let filled = |address: &usize| {
            let byte = core::ptr::with_exposed_provenance::<u8>(*address);
            // SAFETY: RAM, initialised by `fill`; whatever is in it is a byte.
            unsafe { byte.read_volatile() == FILL }
        };
        let left = self.0.take_while(filled).count();
        Used {
            data: from - RAM.start,
            stack: RAM.end - from - left,
            left,
        }
    }
}
