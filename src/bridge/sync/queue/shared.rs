//! The mechanism of every queue: its books, and the three lines in front of it.
//!
//! Places and items are permits. A place is promised to a waiting put, and an item to a waiting get, without moving
//! anything: the item stays in the store until the get is polled. So one that is cancelled has taken nothing out, and
//! the order is what it was.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use super::super::blocking;
use super::super::permits::Permits;
use super::super::waiters::{Wait, Waiters, Wakes, change, lock};
use super::doors::{AllDone, Item, Place};
use super::errors::{Closed, DoneTooOften, TryGetError, TryPutError};
use super::store::Store;

pub(super) struct Shared<S> {
    pub(super) books: Mutex<Books<S>>,
    /// Notified when the store is back and somebody expects it.
    back: Condvar,
    /// `None`: without bound.
    pub(super) capacity: Option<usize>,
}

pub(super) struct Books<S> {
    /// `None` while `borrower` has it, so that the items' own code (their `Ord`) never runs under the lock.
    store: Option<S>,
    borrower: Option<ThreadId>,
    /// Threads in `back.wait`: without any, the system need not be asked to wake them.
    expecting: usize,
    /// Items in the store, promised ones included; as of the moment when it was lent.
    pub(super) len: usize,
    /// Items that were put and are not done.
    pub(super) unfinished: usize,
    pub(super) closed: bool,
    /// Places that are neither taken nor promised; puts wait for them.
    pub(super) places: Permits,
    /// Items that are not promised; gets wait for them. When the queue is closed, gets wait until it is empty: a promise
    /// may come back.
    pub(super) items: Permits,
    pub(super) joiners: Waiters,
}

type Lent<'a, S> = MutexGuard<'a, Books<S>>;

const AT_HOME: &str = "looked for under this lock";

impl<S: Store> Shared<S> {
    pub(super) fn new(capacity: Option<usize>) -> Shared<S> {
        let books = Books {
            store: Some(S::default()),
            borrower: None,
            expecting: 0,
            len: 0,
            unfinished: 0,
            closed: false,
            places: Permits::new(capacity.unwrap_or(usize::MAX)),
            items: Permits::new(0),
            joiners: Waiters::new(),
        };
        Shared { books: Mutex::new(books), back: Condvar::new(), capacity }
    }

    /// The books, with the store at home. It is away only for as long as it takes to compare a few items.
    #[track_caller]
    fn at_home(&self) -> Lent<'_, S> {
        let mut books = lock(&self.books);
        while let Some(borrower) = books.borrower {
            if borrower == thread::current().id() {
                drop(books);
                panic!("an item's `Ord` used the queue that it is being put into or got from: let it only compare");
            }
            books.expecting += 1;
            books = self.back.wait(books).unwrap_or_else(PoisonError::into_inner);
            books.expecting -= 1;
        }
        books
    }

    /// Runs `f` on the store: under the lock, or where it would run others' code without it.
    fn with_store<'a, R>(
        &'a self,
        mut books: Lent<'a, S>,
        undo: fn(&mut Books<S>, usize, &mut Wakes),
        f: impl FnOnce(&mut S) -> R,
    ) -> (Lent<'a, S>, R) {
        if !S::RUNS_OTHERS_CODE {
            let result = f(books.store.as_mut().expect(AT_HOME));
            return (books, result);
        }
        let store = books.store.take();
        books.borrower = Some(thread::current().id());
        drop(books);
        let mut loan = Loan { shared: self, store, undo };
        let result = f(loan.store.as_mut().expect("it goes back below"));
        (loan.give_back(), result)
    }

    /// Puts, for who has a place. Closed, the place does not matter any more.
    fn put_in_place(&self, books: Lent<'_, S>, item: S::Item) -> Result<(), Closed<S::Item>> {
        if books.closed {
            return Err(Closed(item));
        }
        let (mut books, ()) = self.with_store(books, Books::put_panicked, |store| store.put(item));
        let mut wakes = Wakes::default();
        books.has_put(&mut wakes);
        drop(books);
        wakes.wake();
        Ok(())
    }

    /// Gets, for who has the promise of an item, or was let in since there is none left. (After `close_now` promises mean
    /// nothing any more, made or not.)
    fn get_promised(&self, books: Lent<'_, S>) -> Result<S::Item, Closed> {
        let (mut books, item) = self.with_store(books, Books::get_panicked, Store::take);
        let Some(item) = item else {
            return Err(Closed(()));
        };
        let mut wakes = Wakes::default();
        books.has_got(&mut wakes);
        drop(books);
        wakes.wake();
        Ok(item)
    }

    #[track_caller]
    pub(super) fn try_put(&self, item: S::Item) -> Result<(), TryPutError<S::Item>> {
        let mut books = self.at_home();
        if !books.closed && !books.places.try_take(1) {
            return Err(TryPutError::Full(item));
        }
        self.put_in_place(books, item).map_err(|Closed(item)| TryPutError::Closed(item))
    }

    pub(super) async fn put(&self, item: S::Item) -> Result<(), Closed<S::Item>> {
        match self.try_put(item) {
            Ok(()) => Ok(()),
            Err(TryPutError::Closed(item)) => Err(Closed(item)),
            Err(TryPutError::Full(item)) => {
                Wait::new(Place(self)).await;
                self.put_in_place(self.at_home(), item)
            }
        }
    }

    #[track_caller]
    pub(super) fn blocking_put(&self, item: S::Item, call: &str) -> Result<(), Closed<S::Item>> {
        blocking::wait(&mut Wait::new(Place(self)), call, "put(item).await");
        self.put_in_place(self.at_home(), item)
    }

    #[track_caller]
    pub(super) fn try_get(&self) -> Result<S::Item, TryGetError> {
        let mut books = self.at_home();
        if books.items.try_take(1) || books.is_over() {
            return self.get_promised(books).map_err(|Closed(())| TryGetError::Closed);
        }
        Err(TryGetError::Empty)
    }

    pub(super) async fn get(&self) -> Result<S::Item, Closed> {
        match self.try_get() {
            Ok(item) => Ok(item),
            Err(TryGetError::Closed) => Err(Closed(())),
            Err(TryGetError::Empty) => {
                Wait::new(Item(self)).await;
                self.get_promised(self.at_home())
            }
        }
    }

    #[track_caller]
    pub(super) fn blocking_get(&self, call: &str) -> Result<S::Item, Closed> {
        blocking::wait(&mut Wait::new(Item(self)), call, "get().await");
        self.get_promised(self.at_home())
    }

    pub(super) fn task_done(&self) -> Result<(), DoneTooOften> {
        change(&self.books, |books, wakes| {
            if books.unfinished == 0 {
                return Err(DoneTooOften);
            }
            books.done(1, wakes);
            Ok(())
        })
    }

    pub(super) async fn join(&self) {
        Wait::new(AllDone(self)).await;
    }

    #[track_caller]
    pub(super) fn blocking_join(&self, call: &str) {
        blocking::wait(&mut Wait::new(AllDone(self)), call, "join().await");
    }

    #[track_caller]
    pub(super) fn close(&self) {
        let mut books = self.at_home();
        let mut wakes = Wakes::default();
        books.close(&mut wakes);
        drop(books);
        wakes.wake();
    }

    #[track_caller]
    pub(super) fn close_now(&self) {
        let mut books = self.at_home();
        let mut wakes = Wakes::default();
        let dropped = books.store.replace(S::default());
        let left = std::mem::take(&mut books.len);
        books.done(left, &mut wakes);
        books.close(&mut wakes);
        drop(books);
        wakes.wake();
        drop(dropped);
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.books).len
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.books).closed
    }

    /// For `Debug`: what is not done, and how many wait to put, to get and for the end.
    pub(super) fn figures(&self) -> [(&'static str, usize); 4] {
        let books = lock(&self.books);
        [
            ("unfinished", books.unfinished),
            ("putting", books.places.line.len()),
            ("getting", books.items.line.len()),
            ("joining", books.joiners.len()),
        ]
    }
}

impl<S> Books<S> {
    fn has_put(&mut self, wakes: &mut Wakes) {
        self.len += 1;
        self.unfinished += 1;
        self.items.give(1, wakes);
    }

    fn has_got(&mut self, wakes: &mut Wakes) {
        self.len -= 1;
        self.places.give(1, wakes);
        if self.is_over() {
            self.items.line.call_all(wakes);
        }
    }

    /// An item's `Ord` panicked during a put, and the store has `now` items.
    fn put_panicked(&mut self, now: usize, wakes: &mut Wakes) {
        if now > self.len { self.has_put(wakes) } else { self.places.give(1, wakes) }
    }

    /// The same during a get. An item that is gone is done, as nobody else will ever say.
    fn get_panicked(&mut self, now: usize, wakes: &mut Wakes) {
        if now < self.len {
            self.has_got(wakes);
            // Unless somebody said so of an item that was not got yet.
            self.done(self.unfinished.min(1), wakes);
        } else {
            self.items.give(1, wakes);
        }
    }

    /// Whether there will never be an item again.
    pub(super) fn is_over(&self) -> bool {
        self.closed && self.len == 0
    }

    fn done(&mut self, items: usize, wakes: &mut Wakes) {
        self.unfinished = self.unfinished.saturating_sub(items);
        if self.unfinished == 0 {
            self.joiners.call_all(wakes);
        }
    }

    fn close(&mut self, wakes: &mut Wakes) {
        self.closed = true;
        self.places.line.call_all(wakes);
        if self.len == 0 {
            self.items.line.call_all(wakes);
        }
    }
}

/// The store, while others' code compares its items. Goes back also when that panics.
struct Loan<'a, S: Store> {
    shared: &'a Shared<S>,
    /// `None` once it is back.
    store: Option<S>,
    /// Sets the books right after a panic; gets the number of items that the store has.
    undo: fn(&mut Books<S>, usize, &mut Wakes),
}

impl<'a, S: Store> Loan<'a, S> {
    fn give_back(&mut self) -> Lent<'a, S> {
        let mut books = lock(&self.shared.books);
        books.store = self.store.take();
        books.borrower = None;
        if books.expecting > 0 {
            self.shared.back.notify_all();
        }
        books
    }
}

impl<S: Store> Drop for Loan<'_, S> {
    fn drop(&mut self) {
        let Some(now) = self.store.as_ref().map(Store::len) else {
            return;
        };
        let mut books = self.give_back();
        let mut wakes = Wakes::default();
        (self.undo)(&mut books, now, &mut wakes);
        drop(books);
        wakes.wake();
    }
}
