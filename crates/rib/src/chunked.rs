//! A vector in pieces of `LEN`: it grows without moving, and wastes at most one piece.

use std::ops::{Index, IndexMut};

pub(crate) struct Chunked<T, const LEN: usize> {
    chunks: Vec<Box<[T]>>,
}

impl<T, const LEN: usize> Default for Chunked<T, LEN> {
    fn default() -> Self {
        const { assert!(LEN.is_power_of_two()) };
        Self { chunks: Vec::new() }
    }
}

impl<T: Clone + Default, const LEN: usize> Chunked<T, LEN> {
    /// How many there is room for.
    pub(crate) fn len(&self) -> usize {
        self.chunks.len() * LEN
    }

    /// Adds a piece.
    pub(crate) fn grow(&mut self) {
        self.chunks.push(vec![T::default(); LEN].into_boxed_slice());
    }

    /// The place of a new element, counted from 1: the first free one, where `next` says which is free after
    /// it, or `end` if none is. Of a table in which 0 is no element, and no link.
    #[inline]
    pub(crate) fn claim(&mut self, free: &mut u32, end: &mut u32, next: impl FnOnce(&T) -> u32) -> u32 {
        if *free != 0 {
            let claimed = *free;
            *free = next(&self[claimed]);
            return claimed;
        }
        let claimed = *end;
        *end += 1;
        if self.len() <= claimed as usize {
            self.grow();
        }
        claimed
    }

    /// The piece at the back is not needed any more.
    pub(crate) fn shrink(&mut self) -> Option<Box<[T]>> {
        self.chunks.pop()
    }

    /// A piece.
    #[inline]
    pub(crate) fn chunk(&self, at: usize) -> &[T] {
        &self.chunks[at]
    }

    pub(crate) fn memory(&self) -> usize {
        self.len() * size_of::<T>() + self.chunks.capacity() * size_of::<Box<[T]>>()
    }
}

impl<T, const LEN: usize> Index<u32> for Chunked<T, LEN> {
    type Output = T;

    #[inline]
    fn index(&self, at: u32) -> &T {
        &self.chunks[at as usize / LEN][at as usize % LEN]
    }
}

impl<T, const LEN: usize> IndexMut<u32> for Chunked<T, LEN> {
    #[inline]
    fn index_mut(&mut self, at: u32) -> &mut T {
        &mut self.chunks[at as usize / LEN][at as usize % LEN]
    }
}
