//! The three lines in front of a queue: for a place, for an item, and for the moment when all is done.

use std::sync::Mutex;

use super::super::waiters::{Door, Waiters, Wakes};
use super::shared::{Books, Shared};

/// In front of a place for an item.
pub(super) struct Place<'a, S>(pub(super) &'a Shared<S>);

impl<S> Door for Place<'_, S> {
    type State = Books<S>;
    type Pass = ();

    fn state(&self) -> &Mutex<Books<S>> {
        &self.0.books
    }

    fn line<'s>(&self, books: &'s mut Books<S>) -> &'s mut Waiters {
        &mut books.places.line
    }

    fn enter(&self, books: &mut Books<S>) -> Option<()> {
        // Closed or not is looked at when the item is put.
        (books.closed || books.places.try_take(1)).then_some(())
    }

    fn called(&self, _: &mut Books<S>) {}

    fn pass_on(&self, books: &mut Books<S>, wakes: &mut Wakes) {
        books.places.give(1, wakes);
    }
}

/// In front of an item.
pub(super) struct Item<'a, S>(pub(super) &'a Shared<S>);

impl<S> Door for Item<'_, S> {
    type State = Books<S>;
    type Pass = ();

    fn state(&self) -> &Mutex<Books<S>> {
        &self.0.books
    }

    fn line<'s>(&self, books: &'s mut Books<S>) -> &'s mut Waiters {
        &mut books.items.line
    }

    fn enter(&self, books: &mut Books<S>) -> Option<()> {
        // That there is nothing left is found when the item is got.
        (books.items.try_take(1) || books.is_over()).then_some(())
    }

    fn called(&self, _: &mut Books<S>) {}

    fn pass_on(&self, books: &mut Books<S>, wakes: &mut Wakes) {
        // When nothing is left it was called to hear that, or `close_now` has broken the promise.
        if books.len > 0 {
            books.items.give(1, wakes);
        }
    }
}

/// In front of the moment when all is done.
pub(super) struct AllDone<'a, S>(pub(super) &'a Shared<S>);

impl<S> Door for AllDone<'_, S> {
    type State = Books<S>;
    type Pass = ();

    fn state(&self) -> &Mutex<Books<S>> {
        &self.0.books
    }

    fn line<'s>(&self, books: &'s mut Books<S>) -> &'s mut Waiters {
        &mut books.joiners
    }

    fn enter(&self, books: &mut Books<S>) -> Option<()> {
        (books.unfinished == 0).then_some(())
    }

    fn called(&self, _: &mut Books<S>) {}

    // All who waited were called; there is nothing to hand on.
    fn pass_on(&self, _: &mut Books<S>, _: &mut Wakes) {}
}
