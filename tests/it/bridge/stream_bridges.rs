//! Streams and blocking code: each made of the other.

use std::future::poll_fn;
use std::io::{self, BufRead, ErrorKind, Read};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use dewar::bridge::{self, BridgeError};
use futures_core::Stream;
use futures_core::stream::FusedStream;
use futures_util::StreamExt;

use crate::support;

use super::POLICIES;

const MS: Duration = Duration::from_millis(1);
const NEVER: Duration = Duration::from_secs(20);

/// The next item, or that there is none now.
async fn poll_once<S: Stream>(mut stream: Pin<&mut S>) -> Poll<Option<S::Item>> {
    poll_fn(|cx| Poll::Ready(stream.as_mut().poll_next(cx))).await
}

// ---- async streams for blocking code

#[test]
fn blocking_code_iterates_over_a_stream() {
    for policy in POLICIES {
        bridge::with_policy(policy, || {
            let fragments = bridge::stats().fragments;
            let words = [String::from("a"), String::from("b")];
            let stream = bridge::stream(async |yielder| {
                let mut sleep = bridge::interval(MS);
                for word in &words {
                    sleep.tick().await; // a timer that goes from fragment to fragment
                    yielder.send(word.as_str()).await;
                }
            });
            let mut items = bridge::block_on_iter(stream);
            assert_eq!(items.next(), Some("a"));
            // In between it is blocking code, which may have fragments of its own.
            bridge::block_on(bridge::sleep(MS)).unwrap();
            assert_eq!(items.next(), Some("b"));
            assert_eq!((items.next(), items.next()), (None, None));
            assert!(bridge::stats().fragments >= fragments + 4);
        });
    }
}

#[test]
fn an_iterator_over_a_stream_refuses_to_block_a_fragment() {
    let mut items = bridge::block_on_iter(futures_util::stream::iter([1]));
    let message = support::panic_message(|| bridge::block_on(async { items.next() }));
    assert!(message.contains("cannot start") && message.contains(file!()), "{message}");
    assert_eq!(items.next(), Some(1), "the item is not lost");
    let mut reader = bridge::stream_reader(futures_util::stream::iter(["a"]));
    let error = bridge::block_on(async { reader.read(&mut [0]) }).unwrap().unwrap_err();
    let inner = error.get_ref().and_then(|error| error.downcast_ref::<BridgeError>());
    assert!(matches!(inner, Some(BridgeError::Nested { .. })), "{error}");
    assert_eq!(io::read_to_string(reader).unwrap(), "a");
}

#[test]
fn a_stream_of_blocks_is_read() {
    let blocks =
        || futures_util::stream::iter([Bytes::from("one\nt"), Bytes::new(), Bytes::from("wo\n"), Bytes::new()]);
    assert_eq!(io::read_to_string(bridge::stream_reader(blocks())).unwrap(), "one\ntwo\n");
    let lines: Vec<_> = bridge::stream_reader(blocks()).lines().map(Result::unwrap).collect();
    assert_eq!(lines, ["one", "two"]);
    let mut small = [0; 2];
    let mut reader = bridge::stream_reader(blocks());
    assert_eq!(reader.read(&mut []).unwrap(), 0);
    reader.read_exact(&mut small).unwrap();
    assert_eq!(&small, b"on");
    assert_eq!(reader.fill_buf().unwrap(), b"e\nt");
}

#[test]
fn a_readers_errors_keep_their_kind() {
    let stream = bridge::try_stream(async |yielder| {
        yielder.send("before").await;
        Err::<(), _>(io::Error::from(ErrorKind::TimedOut))
    });
    let mut reader = bridge::stream_reader(stream);
    let mut text = String::new();
    let error = reader.read_to_string(&mut text).unwrap_err();
    assert_eq!((error.kind(), &*text), (ErrorKind::TimedOut, "before"));
    assert_eq!(reader.read(&mut [0; 8]).unwrap(), 0, "then it has ended");
    let mut other = bridge::stream_reader(futures_util::stream::iter([Err::<Bytes, _>("in words")]));
    assert_eq!(other.read(&mut [0; 8]).unwrap_err().to_string(), "in words");
}

// ---- blocking code as async streams

/// A gate that a blocking iterator waits at, and what went through it.
#[derive(Default)]
struct Gate {
    open: Mutex<usize>,
    changed: Condvar,
    made: AtomicUsize,
}

impl Gate {
    fn open_for(&self, items: usize) {
        *self.open.lock().unwrap() += items;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let mut open = self.changed.wait_while(self.open.lock().unwrap(), |open| *open == 0).unwrap();
        *open -= 1;
        drop(open);
        self.made.fetch_add(1, Ordering::SeqCst);
    }

    fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }
}

#[test]
fn a_blocking_iterator_as_a_stream() {
    for policy in POLICIES {
        for ahead in [1, 2, 16, 1000] {
            let numbers = bridge::iter_stream(0..300).read_ahead(ahead);
            let numbers = bridge::block_on_with(policy, numbers.collect::<Vec<_>>()).unwrap();
            assert_eq!(numbers, (0..300).collect::<Vec<_>>());
        }
    }
}

#[test]
fn it_runs_on_another_thread_and_blocks_no_loop() {
    let gate = Arc::new(Gate::default());
    let own = thread::current().id();
    let blocking = {
        let gate = Arc::clone(&gate);
        (0..3).inspect(move |_| {
            gate.pass();
            assert_ne!(thread::current().id(), own);
        })
    };
    bridge::block_on(async {
        let mut stream = bridge::iter_stream(blocking);
        assert!(poll_once(Pin::new(&mut stream)).await.is_pending());
        for n in 0..3 {
            bridge::sleep(MS).await; // the loop goes on while the iterator waits
            gate.open_for(1);
            assert_eq!(stream.next().await, Some(n));
        }
        assert_eq!(stream.next().await, None);
        assert!(stream.is_terminated());
        assert_eq!(stream.next().await, None);
    })
    .unwrap();
}

#[test]
fn it_begins_when_asked_and_reads_so_far_ahead() {
    support::alone("bridge::stream_bridges::it_begins_when_asked_and_reads_so_far_ahead", || {
        let gate = Arc::new(Gate::default());
        let counted = Arc::clone(&gate);
        gate.open_for(1000);
        let mut stream = bridge::iter_stream((0..).inspect(move |_| counted.pass())).read_ahead(8);
        assert_eq!(bridge::unblock_stats().threads, 0);
        bridge::block_on(async {
            for n in 0..100 {
                assert_eq!(stream.next().await, Some(n));
                let made = gate.made();
                // at hand, and the one that is being put there
                assert!(made <= n + 1 + 8, "{made} after {n}");
            }
        })
        .unwrap();
        // The iterator rests, and with it its thread: nobody waits in the pool for the consumer.
        bridge::set_unblock_threads(1);
        bridge::unblock(|| ()).join().unwrap();
        assert!(gate.made() <= 108);
    });
}

#[test]
fn dropping_the_stream_ends_the_iterator() {
    struct Dropped(mpsc::Sender<()>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let ((tell, told), (arrive, arrived)) = (mpsc::channel(), mpsc::channel());
    let gate = Arc::new(Gate::default());
    let (at_gate, guard) = (Arc::clone(&gate), Dropped(tell));
    let mut stream = bridge::iter_stream((0..).inspect(move |n| {
        let _guard = &guard;
        arrive.send(*n).unwrap();
        at_gate.pass();
    }));
    gate.open_for(1);
    assert_eq!(bridge::block_on(stream.next()).unwrap(), Some(0));
    assert_eq!([(); 2].map(|()| arrived.recv_timeout(NEVER).unwrap()), [0, 1]);
    drop(stream);
    assert!(told.try_recv().is_err(), "it waits at the gate for its second item");
    gate.open_for(1);
    told.recv_timeout(NEVER).expect("dropped after the item that it was at");
    assert_eq!(gate.made(), 2);
    // One that never began is dropped at once.
    let (tell, told) = mpsc::channel();
    let guard = Dropped(tell);
    drop(bridge::iter_stream(std::iter::repeat_with(move || guard.0.send(()).is_ok())));
    told.try_recv().unwrap();
}

#[test]
fn the_iterators_panic_reaches_the_consumer_behind_its_items() {
    let line = line!() + 1;
    let mut stream = bridge::iter_stream((0..5).inspect(|n| assert!(*n < 3, "number {n}")));
    let items: Vec<_> = (0..3).map(|_| bridge::block_on(stream.next()).unwrap()).collect();
    assert_eq!(items, [Some(0), Some(1), Some(2)]);
    let message = support::panic_message(|| bridge::block_on(stream.next()));
    assert!(message.ends_with("panicked: number 3"), "{message}");
    assert!(message.contains(&format!("{}:{line}:", file!())), "{message}");
    assert_eq!(bridge::block_on(stream.next()).unwrap(), None);
}

#[test]
fn the_luggage_goes_along() {
    let _packed = bridge::luggage::pack(Some(Arc::new("request 7")));
    let seen = bridge::iter_stream((0..40).map(|_| {
        let current = bridge::luggage::current().unwrap();
        current.downcast_ref::<&str>() == Some(&"request 7")
    }));
    assert!(bridge::block_on(seen.all(async |seen| seen)).unwrap());
}

#[test]
fn a_reader_as_a_stream_of_blocks() {
    let data: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
    let blocks: Vec<_> = bridge::block_on(bridge::read_stream(io::Cursor::new(data.clone())).collect()).unwrap();
    let blocks: Vec<Bytes> = blocks.into_iter().map(Result::unwrap).collect();
    assert!(blocks.iter().all(|block| block.len() <= 64 * 1024));
    assert_eq!(blocks.concat(), data);
    let small = bridge::read_stream(io::Cursor::new(data.clone())).block_size(1000).read_ahead(5);
    let small: Vec<_> = bridge::block_on(small.collect()).unwrap();
    assert!(small.iter().all(|block| block.as_ref().unwrap().len() == 1000));
    assert_eq!(small.len(), 200);
}

#[test]
fn a_readers_error_is_the_last_item() {
    struct Fails(u8);
    impl Read for Fails {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 | 3 => Err(ErrorKind::Interrupted.into()), // to be tried again, unseen
                2 => {
                    out[0] = b'x';
                    Ok(1)
                }
                _ => Err(ErrorKind::ConnectionReset.into()),
            }
        }
    }
    let mut stream = bridge::read_stream(Fails(0));
    assert_eq!(bridge::block_on(stream.next()).unwrap().unwrap().unwrap(), "x");
    let error = bridge::block_on(stream.next()).unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(bridge::block_on(stream.next()).unwrap().is_none());
    let message = support::panic_message(|| bridge::read_stream(io::empty()).block_size(0));
    assert!(message.contains("how many bytes"), "{message}");
}

#[test]
fn there_and_back_again() {
    let text = "a line\nand another\n".repeat(5000);
    let forth = bridge::read_stream(io::Cursor::new(text.clone())).block_size(777);
    assert_eq!(io::read_to_string(bridge::stream_reader(forth)).unwrap(), text);
}
