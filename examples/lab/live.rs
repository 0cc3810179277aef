//! One run at a time: two would measure one another. Whoever comes meanwhile sees the one that goes on; when the last
//! of those who watch has gone, it is stopped.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use dewar::Result;

use super::measure::{self, Event};
use super::plan::Plan;
use super::report::{Report, Row};

/// How long a watcher waits for news before it is told that there are none: what is sent to somebody who has gone away
/// is how that is found out.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The lab's state: the run that goes on, if there is one.
#[derive(Default)]
pub(crate) struct Lab {
    /// Whether Flask is measured too.
    pub(crate) flask: bool,
    current: Mutex<Option<Current>>,
    /// Notified when there is no run any more.
    free: Condvar,
}

struct Current {
    run: Arc<Run>,
    watchers: usize,
}

/// A run that goes on or has ended.
pub(crate) struct Run {
    pub(crate) plan: Plan,
    /// Who asked for it.
    pub(crate) who: String,
    pub(crate) began: Instant,
    stop: AtomicBool,
    so_far: Mutex<SoFar>,
    /// Notified with each change of `so_far`.
    more: Condvar,
}

#[derive(Default)]
struct SoFar {
    report: Report,
    /// The latest, and how many there have been.
    progress: Option<(f64, Arc<str>)>,
    ticks: usize,
    /// Why it failed, if it did.
    ended: Option<std::result::Result<(), String>>,
}

/// What a watcher sees.
#[derive(Clone, Debug)]
pub(crate) enum Sight {
    Progress(f64, Arc<str>),
    Row(Row),
    /// No news, but it goes on.
    Nothing,
    /// The last: everything, or why it failed.
    End(std::result::Result<Report, String>),
}

impl Lab {
    pub(crate) fn new(flask: bool) -> Arc<Lab> {
        Arc::new(Lab { flask, ..Lab::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches the run that goes on, or else begins this one.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub(crate) fn watch(self: &Arc<Lab>, plan: Plan, who: &str) -> Result<Watcher> {
        let mut current = self.lock();
        loop {
            match &mut *current {
                None => break,
                Some(going_on) if going_on.watchers > 0 => {
                    going_on.watchers += 1;
                    let run = Arc::clone(&going_on.run);
                    return Ok(Watcher::new(Arc::clone(self), run, false));
                }
                // Nobody wanted it any more, and it is about to end.
                Some(_) => current = self.free.wait(current).unwrap_or_else(PoisonError::into_inner),
            }
        }
        let run = Run::begin(&mut current, plan, who);
        drop(current);
        let watcher = Watcher::new(Arc::clone(self), Arc::clone(&run), true);
        let going_on = GoingOn { lab: Arc::clone(self), run };
        // Without a thread, both of these are dropped, and the lab is free again.
        thread::Builder::new().name("lab".into()).spawn(move || going_on.measure())?;
        Ok(watcher)
    }

    /// Makes this run here and now, and returns what came out; or the run that goes on already.
    ///
    /// # Errors
    /// Why it failed.
    pub(crate) fn run(self: &Arc<Lab>, plan: Plan, who: &str) -> std::result::Result<Result<Report, String>, Arc<Run>> {
        let mut current = self.lock();
        if let Some(going_on) = &*current {
            return Err(Arc::clone(&going_on.run));
        }
        let run = Run::begin(&mut current, plan, who);
        drop(current);
        let mut watcher = Watcher::new(Arc::clone(self), Arc::clone(&run), true);
        GoingOn { lab: Arc::clone(self), run }.measure();
        Ok(watcher.end())
    }
}

impl Run {
    fn begin(current: &mut Option<Current>, plan: Plan, who: &str) -> Arc<Run> {
        let run = Arc::new(Run {
            plan,
            who: who.to_owned(),
            began: Instant::now(),
            stop: AtomicBool::new(false),
            so_far: Mutex::default(),
            more: Condvar::new(),
        });
        *current = Some(Current { run: Arc::clone(&run), watchers: 1 });
        run
    }

    fn lock(&self) -> MutexGuard<'_, SoFar> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: Event) {
        let mut so_far = self.lock();
        match event {
            Event::Progress(part, what) => {
                so_far.progress = Some((part, what));
                so_far.ticks += 1;
            }
            other => so_far.report.take(other),
        }
        drop(so_far);
        self.more.notify_all();
    }
}

/// The run while it is measured. However that ends, the lab is free afterwards, and the watchers know.
struct GoingOn {
    lab: Arc<Lab>,
    run: Arc<Run>,
}

impl GoingOn {
    fn measure(self) {
        let result = measure::run(&self.run.plan, &self.run.stop, &mut |event| self.run.tell(event));
        self.run.lock().ended = Some(result.map_err(|error| error.to_string()));
    }
}

impl Drop for GoingOn {
    fn drop(&mut self) {
        self.run.lock().ended.get_or_insert_with(|| Err("the measuring broke off".to_owned()));
        self.run.more.notify_all();
        *self.lab.lock() = None;
        self.lab.free.notify_all();
    }
}

/// Somebody who sees a run, from its beginning: an iterator, which waits for what comes next.
pub(crate) struct Watcher {
    lab: Arc<Lab>,
    pub(crate) run: Arc<Run>,
    /// Whether it was begun for this one.
    pub(crate) own: bool,
    rows: usize,
    ticks: usize,
    over: bool,
    ready: VecDeque<Sight>,
}

impl Watcher {
    fn new(lab: Arc<Lab>, run: Arc<Run>, own: bool) -> Watcher {
        Watcher { lab, run, own, rows: 0, ticks: 0, over: false, ready: VecDeque::new() }
    }

    /// What came out, when it has ended.
    fn end(&mut self) -> std::result::Result<Report, String> {
        self.find_map(|sight| match sight {
            Sight::End(end) => Some(end),
            _ => None,
        })
        .unwrap_or_else(|| Err("the run has no end".to_owned()))
    }

    fn look(&mut self) {
        let run = Arc::clone(&self.run);
        let so_far = run.lock();
        let old = |so_far: &mut SoFar| {
            so_far.ended.is_none() && so_far.report.rows.len() == self.rows && so_far.ticks == self.ticks
        };
        let waited = run.more.wait_timeout_while(so_far, HEARTBEAT, old);
        let (so_far, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            self.ready.push_back(Sight::Nothing);
            return;
        }
        self.ready.extend(so_far.report.rows[self.rows..].iter().cloned().map(Sight::Row));
        self.rows = so_far.report.rows.len();
        if let Some((part, what)) = so_far.progress.clone().filter(|_| so_far.ticks > self.ticks) {
            self.ready.push_back(Sight::Progress(part, what));
            self.ticks = so_far.ticks;
        }
        if let Some(ended) = so_far.ended.clone() {
            self.ready.push_back(Sight::End(ended.map(|()| so_far.report.clone())));
        }
    }
}

impl Iterator for Watcher {
    type Item = Sight;

    fn next(&mut self) -> Option<Sight> {
        if self.over {
            return None;
        }
        if self.ready.is_empty() {
            self.look();
        }
        let sight = self.ready.pop_front();
        self.over = matches!(sight, Some(Sight::End(_)));
        sight
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut current = self.lab.lock();
        if let Some(going_on) = current.as_mut().filter(|current| Arc::ptr_eq(&current.run, &self.run)) {
            going_on.watchers -= 1;
            if going_on.watchers == 0 {
                self.run.stop.store(true, Ordering::Relaxed);
            }
        }
    }
}
