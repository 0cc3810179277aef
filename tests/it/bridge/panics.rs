//! Panics in tasks, destructors and wakers: who hears of them, and that nobody else suffers.

use std::future::{Future, pending};
use std::panic;
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;

use dewar::bridge::{self, BridgeError, TaskError};

use crate::support;

#[test]
fn a_panic_in_a_task_is_delivered_and_harms_nothing_else() {
    let log = support::log_capture();
    bridge::block_on(async {
        let bad = bridge::spawn_named("bad task", async { panic!("number {}", 7) });
        let good = bridge::spawn(async { 1 });
        match bad.await.unwrap_err() {
            TaskError::Panicked { message, name, spawned_at } => {
                assert_eq!(message, "number 7");
                assert_eq!(name.as_deref(), Some("bad task"));
                assert_eq!(spawned_at.file(), file!());
            }
            other => panic!("{other}"),
        }
        assert_eq!(good.await.unwrap(), 1);
        let odd = bridge::spawn(async { panic::panic_any(1_u8) });
        assert!(odd.await.unwrap_err().is_panic());
        assert_eq!(bridge::spawn(async { 2 }).await.unwrap(), 2);
    })
    .unwrap();
    assert_eq!(log.with("bad task"), [""; 0], "delivered, so not logged");
}

#[test]
fn a_panic_that_nobody_asks_for_is_logged() {
    let log = support::log_capture();
    bridge::block_on(async {
        bridge::spawn_named("unheard 1", async { panic!("oh") }).detach();
        let dropped_later = bridge::spawn_named("unheard 2", async { panic!("oh") });
        while !dropped_later.is_finished() {
            bridge::yield_now().await;
        }
    })
    .unwrap();
    for name in ["unheard 1", "unheard 2"] {
        let errors = log.with(name);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].starts_with("ERROR") && errors[0].ends_with(": oh"), "{errors:?}");
    }
}

#[test]
fn panics_in_destructors_and_wakers_harm_no_loop() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !thread::panicking() {
                panic!("in a destructor");
            }
        }
    }
    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {
            panic!("in a waker");
        }
    }
    let armed = || async {
        let _bomb = Bomb;
        pending::<()>().await
    };
    // cancelled: the destructor panics, the task is cancelled nevertheless
    bridge::block_on(async {
        let task = bridge::spawn(armed());
        bridge::yield_now().await;
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        bridge::spawn(armed()).detach(); // swept
        bridge::yield_now().await;
        // a value that nobody takes
        bridge::spawn(async { Bomb }).detach();
        bridge::yield_now().await;
        bridge::yield_now().await;
    })
    .unwrap();
    let shared = bridge::spawn_shared(armed());
    shared.cancel();
    assert!(matches!(shared.join(), Err(BridgeError::Task(e)) if e.is_cancelled()));
    let (go, gone) = mpsc::channel::<()>();
    let value_that_nobody_takes = bridge::spawn_shared(async move {
        let _ = gone.recv();
        Bomb
    });
    value_that_nobody_takes.detach();
    drop(go);
    // a waker that panics when the shared loop wakes it
    let (go, gone) = mpsc::channel::<()>();
    let mut waited = bridge::spawn_shared(async move { gone.recv().is_err() });
    let waker = Waker::from(Arc::new(Bomb));
    assert!(Pin::new(&mut waited).poll(&mut Context::from_waker(&waker)).is_pending());
    std::mem::forget(waker); // Bomb's destructor is not what is tested
    drop(go);
    assert_eq!(bridge::spawn_shared(async { 3 }).join().unwrap(), 3);
    assert!(waited.join().unwrap());
}

#[test]
fn spawn_outside_of_a_fragment_panics_at_the_caller() {
    let seen = Arc::new(Mutex::new(None));
    let line = thread::spawn({
        let seen = Arc::clone(&seen);
        move || {
            let said = support::panic_message(|| bridge::spawn(async {}));
            *seen.lock().unwrap() = Some(said);
            // and where: the hook sees the location
            let before = panic::take_hook();
            let place = Arc::new(Mutex::new(None));
            let told = Arc::clone(&place);
            let here = thread::current().id();
            panic::set_hook(Box::new(move |info| {
                if thread::current().id() == here {
                    let at = info.location().unwrap();
                    *told.lock().unwrap() = Some((at.file().to_owned(), at.line()));
                } else {
                    before(info);
                }
            }));
            let line = line!() + 1;
            support::panic_message(|| bridge::spawn_named("x", async {}));
            let _ = panic::take_hook();
            assert_eq!(*place.lock().unwrap(), Some((file!().to_owned(), line)));
        }
    });
    line.join().unwrap();
    let said = seen.lock().unwrap().take().unwrap();
    for part in ["running fragment", "block_on", "spawn_shared"] {
        assert!(said.contains(part), "{said}");
    }
    // nor on the shared loop
    let error = bridge::spawn_shared(async { bridge::spawn(async {}).detach() }).join();
    assert!(error.unwrap_err().to_string().contains("running fragment"));
}
