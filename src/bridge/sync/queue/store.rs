//! Where a queue's items are, in the order in which they will be got.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

pub(super) trait Store: Default {
    type Item;

    /// Whether `put` and `take` call code of the items' owner. Then they are not called under a lock.
    const RUNS_OTHERS_CODE: bool;

    fn put(&mut self, item: Self::Item);
    fn take(&mut self) -> Option<Self::Item>;
    fn len(&self) -> usize;
}

/// The oldest first.
pub(super) struct Fifo<T>(VecDeque<T>);

impl<T> Default for Fifo<T> {
    fn default() -> Fifo<T> {
        Fifo(VecDeque::new())
    }
}

impl<T> Store for Fifo<T> {
    type Item = T;
    const RUNS_OTHERS_CODE: bool = false;

    fn put(&mut self, item: T) {
        self.0.push_back(item);
    }

    fn take(&mut self) -> Option<T> {
        self.0.pop_front()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// The smallest first, among equals the oldest.
pub(super) struct Heap<T> {
    heap: BinaryHeap<Ranked<T>>,
    /// How many were put, ever.
    put: u64,
}

struct Ranked<T> {
    item: T,
    number: u64,
}

/// The other way round: `BinaryHeap` has the greatest on top.
impl<T: Ord> Ord for Ranked<T> {
    fn cmp(&self, other: &Ranked<T>) -> Ordering {
        other.item.cmp(&self.item).then_with(|| other.number.cmp(&self.number))
    }
}

impl<T: Ord> PartialOrd for Ranked<T> {
    fn partial_cmp(&self, other: &Ranked<T>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> PartialEq for Ranked<T> {
    fn eq(&self, other: &Ranked<T>) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T: Ord> Eq for Ranked<T> {}

impl<T: Ord> Default for Heap<T> {
    fn default() -> Heap<T> {
        Heap { heap: BinaryHeap::new(), put: 0 }
    }
}

impl<T: Ord> Store for Heap<T> {
    type Item = T;
    const RUNS_OTHERS_CODE: bool = true;

    fn put(&mut self, item: T) {
        let number = self.put;
        self.put += 1;
        self.heap.push(Ranked { item, number });
    }

    fn take(&mut self) -> Option<T> {
        self.heap.pop().map(|ranked| ranked.item)
    }

    fn len(&self) -> usize {
        self.heap.len()
    }
}
