//! Who is there: the running task, and all that there are.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::far;
use super::header::{Header, TaskState};
use super::roll::Home;
use super::{shared_loop, this_thread};

/// A task as seen by others than its holder: [`tasks`], [`current_task`].
#[derive(Clone)]
pub struct TaskInfo(Arc<Header>);

impl TaskInfo {
    /// Its name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Its number: different for every task of the process.
    pub fn number(&self) -> u64 {
        self.0.number
    }

    /// Where it was spawned.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.0.spawned_at
    }

    /// Where in its life it is, at this moment.
    pub fn state(&self) -> TaskState {
        self.0.state()
    }

    /// The loop that it is on: `thread NAME`, `shared loop` or `tokio`.
    pub fn event_loop(&self) -> String {
        match &self.0.home {
            Home::Local(far) => format!("thread {}", far.thread),
            Home::Shared(_) => "shared loop".into(),
            #[cfg(feature = "tokio")]
            Home::Tokio(_) => "tokio".into(),
            Home::Pool => "pool".into(),
        }
    }

    /// As [`Task::cancel`](super::Task::cancel).
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

/// One line: `task 17 `fetch` (waiting) on thread main, spawned at src/main.rs:12:9`.
impl fmt::Display for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} ", self.number())?;
        if let Some(name) = self.name() {
            write!(f, "`{name}` ")?;
        }
        write!(f, "({}) on {}, spawned at {}", self.state(), self.event_loop(), self.spawned_at())
    }
}

impl fmt::Debug for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// All tasks of all loops that have not ended, in the order of their spawning on each thread: a moment's picture. From any thread.
/// `asyncio.all_tasks`.
///
/// ```
/// use dewar::bridge;
///
/// let task = bridge::spawn_shared(std::future::pending::<()>());
/// let all = bridge::tasks();
/// assert!(all.iter().any(|task| task.spawned_at().file() == file!()));
/// for task in &all {
///     println!("{task}"); // task 1 (waiting) on shared loop, spawned at …
/// }
/// task.cancel();
/// ```
pub fn tasks() -> Vec<TaskInfo> {
    let mut all = all();
    all.sort_unstable_by_key(|header| header.number);
    all.into_iter().map(TaskInfo).collect()
}

/// The one with this number, if it has not ended.
pub(crate) fn find(number: u64) -> Option<Arc<Header>> {
    all().into_iter().find(|header| header.number == number)
}

fn all() -> Vec<Arc<Header>> {
    let mut all: Vec<_> = far::all().iter().flat_map(|far| far.roll.all()).collect();
    all.extend(shared_loop::ROLL.all());
    #[cfg(feature = "tokio")]
    all.extend(super::tokio_loop::ROLL.all());
    all
}

/// The task that is running on this thread; `None` outside of tasks, also in the fragment itself, which is none.
/// `asyncio.current_task`.
///
/// ```
/// use dewar::bridge;
///
/// let name = bridge::block_on(async {
///     bridge::spawn_named("me", async { bridge::current_task()?.name().map(str::to_owned) }).await
/// })??;
/// assert_eq!(name.as_deref(), Some("me"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn current_task() -> Option<TaskInfo> {
    this_thread::current_task().map(TaskInfo)
}
