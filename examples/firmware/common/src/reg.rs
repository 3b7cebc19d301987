//! [`Reg`]: a device register. What a PAC generated from the vendor's SVD file would give, for the
//! few registers that an example needs.

/// The device register at one address, read and written whole.
#[derive(Clone, Copy, Debug)]
pub struct Reg<T: Copy>(*mut T);

// SAFETY: a register belongs to no thread. Every access is one volatile load or store of a size the
// bus does in one piece (the promise of `at`), so concurrent accesses are ordered by the bus.
#[allow(unsafe_code)]
unsafe impl<T: Copy> Sync for Reg<T> {}

impl<T: Copy> Reg<T> {
    /// The register at `address`.
    ///
    /// # Safety
    ///
    /// `address` must be that of a device register, of the width of `T` and aligned for it, on the chip
    /// this runs on; and no value written to it may break memory safety (as that of a DMA engine could).
    #[allow(unsafe_code)]
    pub const unsafe fn at(address: usize) -> Self {
        Self(core::ptr::with_exposed_provenance_mut(address))
    }

    /// Reads it.
    #[inline(always)]
    pub fn read(self) -> T {
        // SAFETY: a device register, aligned: the promise of `at`.
        #[allow(unsafe_code)]
        unsafe {
            self.0.read_volatile()
        }
    }

    /// Writes it.
    #[inline(always)]
    pub fn write(self, value: T) {
        // SAFETY: as in `read`; and writing it breaks no memory: the promise of `at`.
        #[allow(unsafe_code)]
        unsafe {
            self.0.write_volatile(value);
        }
    }
}
