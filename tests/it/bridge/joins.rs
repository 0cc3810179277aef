//! Who may wait for a task by blocking, and who may not.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use dewar::bridge::{self, LoopPolicy, Task};

use super::all_policies;

#[test]
fn joining_a_local_task_works_from_another_thread_and_is_refused_on_its_own() {
    for policy in all_policies() {
        let outcome = bridge::block_on_with(policy, async {
            let task = bridge::spawn(async { 5 });
            let other = bridge::unblock(move || task.join());
            assert_eq!(other.await.unwrap().unwrap(), 5);
            // its own, through a cell: a task that waits for itself
            let own = Rc::new(RefCell::new(None::<Task<()>>));
            let (send, receive) = mpsc::channel();
            let inside = Rc::clone(&own);
            let task = bridge::spawn(async move {
                let me = inside.borrow_mut().take().unwrap();
                send.send(me.join().unwrap_err().to_string()).unwrap();
            });
            *own.borrow_mut() = Some(task);
            while bridge::tasks().iter().any(|task| task.event_loop() == here()) {
                bridge::yield_now().await;
            }
            receive.recv().unwrap()
        });
        let message = outcome.unwrap();
        assert!(message.contains("`.await` it in the fragment that spawned it"), "{message}");
    }
    let own = Arc::new(Mutex::new(None::<Task<()>>));
    let inside = Arc::clone(&own);
    let (send, receive) = mpsc::channel();
    let mut lent = own.lock().unwrap();
    *lent = Some(bridge::spawn_shared(async move {
        let me = inside.lock().unwrap().take().unwrap();
        send.send(me.join().unwrap_err().to_string()).unwrap();
    }));
    drop(lent);
    let message = receive.recv().unwrap();
    assert!(message.contains("`bridge::unblock`"), "{message}");
}

/// What a local task of this thread says that it is on.
fn here() -> String {
    format!("thread {}", thread::current().name().unwrap_or("?"))
}

#[test]
fn current_policy_in_a_fragment_is_its_own() {
    for policy in all_policies() {
        assert_eq!(bridge::block_on_with(policy, async { LoopPolicy::current() }).unwrap(), policy);
    }
}
