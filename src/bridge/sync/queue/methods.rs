//! What every queue can do, said once.

/// The methods of a queue over a `Shared`; `$bound` is what its items must be.
macro_rules! queue {
    ($Queue:ident: $($bound:path)?) => {
        impl<T $(: $bound)?> $Queue<T> {
            /// A queue for at most `capacity` items: puts wait while it is full.
            ///
            /// # Panics
            ///
            /// If `capacity` is 0, which in asyncio means without bound.
            #[track_caller]
            pub fn bounded(capacity: usize) -> Self {
                assert!(
                    capacity > 0,
                    concat!(
                        "a queue for 0 items takes none: write `", stringify!($Queue), "::unbounded()` for one without \
                         bound, or a capacity of at least 1"
                    ),
                );
                $Queue { shared: Arc::new(Shared::new(Some(capacity))) }
            }

            /// A queue without bound: puts never wait. Its producers must not be quicker than its consumers for long.
            pub fn unbounded() -> Self {
                $Queue { shared: Arc::new(Shared::new(None)) }
            }

            /// Puts an item; waits while the queue is full. `await queue.put(item)`.
            ///
            /// # Errors
            ///
            /// [`Closed`] with the item if the queue is closed, or is closed meanwhile.
            ///
            /// # Cancel safety
            ///
            /// The item is in the queue exactly if the future was ready; dropped before, it drops the item. Then the
            /// place in the line is given up, and a place in the queue that was promised to it goes to the next put.
            pub async fn put(&self, item: T) -> Result<(), Closed<T>> {
                self.shared.put(item).await
            }

            /// Puts an item if there is a place, and nobody waits for it. `put_nowait`.
            ///
            /// # Errors
            ///
            /// [`TryPutError::Full`] or [`TryPutError::Closed`], each with the item.
            #[track_caller]
            pub fn try_put(&self, item: T) -> Result<(), TryPutError<T>> {
                self.shared.try_put(item)
            }

            /// Puts an item; waits on this thread while the queue is full, in the same line as the futures.
            ///
            /// # Errors
            ///
            /// As [`put`](Self::put).
            ///
            /// # Panics
            ///
            /// If it would have to wait while an event loop is running on this thread.
            #[track_caller]
            pub fn blocking_put(&self, item: T) -> Result<(), Closed<T>> {
                self.shared.blocking_put(item, concat!(stringify!($Queue), "::blocking_put"))
            }

            /// Gets the next item; waits while there is none. `await queue.get()`.
            ///
            /// Those who wait are promised items in the order of their coming, and take the next one in the queue when
            /// they are polled.
            ///
            /// # Errors
            ///
            /// [`Closed`] if the queue is closed and nothing is left in it.
            ///
            /// # Cancel safety
            ///
            /// An item leaves the queue exactly if the future is ready with it. Dropped before, the future gives up its
            /// place in the line; an item that was promised to it is where it was, and is promised to the next get.
            pub async fn get(&self) -> Result<T, Closed> {
                self.shared.get().await
            }

            /// Gets the next item if there is one that is not promised to somebody who waits. `get_nowait`.
            ///
            /// # Errors
            ///
            /// [`TryGetError::Empty`], or [`TryGetError::Closed`] if there will never be one.
            #[track_caller]
            pub fn try_get(&self) -> Result<T, TryGetError> {
                self.shared.try_get()
            }

            /// Gets the next item; waits on this thread while there is none, in the same line as the futures.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get).
            ///
            /// # Panics
            ///
            /// If it would have to wait while an event loop is running on this thread.
            #[track_caller]
            pub fn blocking_get(&self) -> Result<T, Closed> {
                self.shared.blocking_get(concat!(stringify!($Queue), "::blocking_get"))
            }

            /// How many items are in the queue, those included that are promised to somebody who waits. `qsize`.
            pub fn len(&self) -> usize {
                self.shared.len()
            }

            /// Whether there is no item in the queue. If there is, it may still be promised.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Whether there are as many items in the queue as there may be. If not, the place may still be promised.
            ///
            /// ```
            /// use dewar::bridge::sync::Queue;
            ///
            /// let queue = Queue::bounded(1);
            /// queue.try_put("a").unwrap();
            /// assert!(queue.is_full());
            /// assert_eq!((queue.len(), queue.capacity()), (1, Some(1)));
            /// ```
            pub fn is_full(&self) -> bool {
                self.shared.capacity.is_some_and(|capacity| self.len() >= capacity)
            }

            /// For how many items it is; `None` if that is without bound. `maxsize`.
            pub fn capacity(&self) -> Option<usize> {
                self.shared.capacity
            }

            /// Says that an item that was got is done. `task_done`.
            ///
            /// # Errors
            ///
            /// If all items that were ever put are done already; nothing is changed then.
            ///
            /// ```
            /// use dewar::bridge::sync::{DoneTooOften, Queue};
            ///
            /// let queue = Queue::unbounded();
            /// queue.try_put("a").unwrap();
            /// queue.try_get().unwrap();
            /// assert_eq!(queue.task_done(), Ok(()));
            /// assert_eq!(queue.task_done(), Err(DoneTooOften));
            /// ```
            pub fn task_done(&self) -> Result<(), DoneTooOften> {
                self.shared.task_done()
            }

            /// Waits until every item that was put is done; not at all if that is so. `await queue.join()`.
            ///
            /// Who waits in the moment when the last one is done is released, even if another one is put at once.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future changes nothing for anybody else.
            pub async fn join(&self) {
                self.shared.join().await;
            }

            /// As [`join`](Self::join), on this thread.
            ///
            /// # Panics
            ///
            /// If it would have to wait while an event loop is running on this thread.
            #[track_caller]
            pub fn blocking_join(&self) {
                self.shared.blocking_join(concat!(stringify!($Queue), "::blocking_join"));
            }

            /// Closes the queue: it takes nothing more, puts that wait fail with their items, and gets fail when nothing
            /// is left. A second time it does nothing. `queue.shutdown()`.
            #[track_caller]
            pub fn close(&self) {
                self.shared.close();
            }

            /// As [`close`](Self::close), and drops what is left in the queue, which counts as done; gets that wait fail,
            /// also those to whom an item was promised. `queue.shutdown(immediate=True)`.
            ///
            /// ```
            /// use dewar::bridge::sync::{Queue, TryGetError};
            ///
            /// let queue = Queue::unbounded();
            /// queue.try_put("a").unwrap();
            /// queue.close_now();
            /// assert_eq!(queue.try_get(), Err(TryGetError::Closed));
            /// queue.blocking_join(); // what was dropped counts as done
            /// ```
            #[track_caller]
            pub fn close_now(&self) {
                self.shared.close_now();
            }

            /// Whether it is closed.
            pub fn is_closed(&self) -> bool {
                self.shared.is_closed()
            }
        }

        /// Another handle to the same queue.
        impl<T> Clone for $Queue<T> {
            fn clone(&self) -> Self {
                $Queue { shared: Arc::clone(&self.shared) }
            }
        }

        impl<T $(: $bound)?> fmt::Debug for $Queue<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut fields = f.debug_struct(stringify!($Queue));
                fields.field("len", &self.len()).field("capacity", &self.capacity());
                for (name, figure) in self.shared.figures() {
                    fields.field(name, &figure);
                }
                fields.field("is_closed", &self.is_closed()).finish_non_exhaustive()
            }
        }
    };
}

pub(super) use queue;
