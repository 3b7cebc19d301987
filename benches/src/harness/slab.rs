//! Pinned storage for many timers of one type, without a box for each.

use std::pin::Pin;

/// A fixed number of places whose contents never move.
pub struct Slab<T>(Box<[Option<T>]>);

impl<T> Slab<T> {
    pub fn new(len: usize) -> Self {
        Self((0..len).map(|_| None).collect())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Drops what is there, puts `value` there.
    pub fn put(&mut self, at: usize, value: T) -> Pin<&mut T> {
        self.0[at] = None;
        self.get(at, || value)
    }

    pub fn at(&mut self, at: usize) -> Option<Pin<&mut T>> {
        // SAFETY: the box owns the value, and nothing here moves a value out of its place: `put`
        // and `clear` drop it there.
        self.0[at]
            .as_mut()
            .map(|value| unsafe { Pin::new_unchecked(value) })
    }

    fn get(&mut self, at: usize, make: impl FnOnce() -> T) -> Pin<&mut T> {
        let value = self.0[at].get_or_insert_with(make);
        // SAFETY: as in `at`.
        unsafe { Pin::new_unchecked(value) }
    }

    /// Drops all values in place.
    pub fn clear(&mut self) {
        for value in &mut self.0 {
            *value = None;
        }
    }
}
