//! One measurement: one kind of loop, one sort of fragment, so many threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use dewar::{Error, Result, bridge};

use super::histogram::Histogram;
use super::loops::Kind;
use super::process::{self, Peak};
use super::report::Row;
use super::work::Work;

/// How often the one who measures has a look while it goes on.
const LOOK: Duration = Duration::from_millis(20);

/// What is to be measured, and for how long.
pub(crate) struct Cell<'a> {
    pub(crate) kind: &'a Kind,
    pub(crate) work: Work,
    pub(crate) concurrency: usize,
    /// At most so many fragments are timed on each thread, and at least one.
    pub(crate) fragments: u64,
    pub(crate) time: Duration,
    /// Set by whoever wants no more of it.
    pub(crate) stop: &'a AtomicBool,
}

/// What a thread has measured.
struct Part {
    start: Instant,
    end: Instant,
    /// Of the fragments, in nanoseconds.
    times: Histogram,
}

enum Message {
    /// It has run a fragment that is not timed, and waits at the gate.
    Warm,
    Done(Result<Part>),
}

impl Cell<'_> {
    /// Measures. `tick` is called now and then with the part of the time that is over, from 0 to 1.
    ///
    /// # Errors
    /// A fragment's own; a thread that cannot be had.
    pub(crate) fn measure(&self, tick: &mut dyn FnMut(f64)) -> Result<Row> {
        let loops = bridge::stats().loops_created;
        let mut peak = Peak::default();
        let (parts, cpu) = self.on_threads(&mut peak, tick)?;
        // The threads have been joined: what they counted is exact.
        let loops = bridge::stats().loops_created - loops;

        let wall = match (parts.iter().map(|part| part.start).min(), parts.iter().map(|part| part.end).max()) {
            (Some(start), Some(end)) => (end - start).as_secs_f64(),
            _ => 0.0,
        };
        let mut times = Histogram::default();
        parts.iter().for_each(|part| times.merge(&part.times));
        let timed = times.count as f64;
        Ok(Row {
            source: "dewar".to_owned(),
            work: self.work.name(),
            kind: self.kind.name.to_owned(),
            concurrency: self.concurrency,
            fragments: times.count + self.concurrency as u64,
            loops: Some(loops),
            ns_per_fragment: times.mean(),
            p50_ns: times.percentile(50),
            p99_ns: times.percentile(99),
            per_second: timed / wall.max(1e-9),
            threads: peak.threads,
            resident_kib: peak.resident_kib,
            cpu_us_per_fragment: cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / timed.max(1.0)),
        })
    }

    /// Runs it on all threads; with the processor's time that this took.
    fn on_threads(&self, peak: &mut Peak, tick: &mut dyn FnMut(f64)) -> Result<(Vec<Part>, Option<Duration>)> {
        let gate = Gate::default();
        let (tell, told) = mpsc::channel();
        thread::scope(|scope| {
            // Whatever happens in here, nobody is left waiting at the gate, for the scope waits for all.
            let _close = CloseOnDrop(&gate);
            let mut threads = Vec::with_capacity(self.concurrency);
            for _ in 0..self.concurrency {
                let tell = tell.clone();
                let thread = thread::Builder::new().name("lab-measures".into());
                threads.push(thread.spawn_scoped(scope, || self.on_thread(&gate, tell))?);
            }
            drop(tell);

            let began = Instant::now();
            let (mut parts, mut warm, mut cpu) = (Vec::with_capacity(self.concurrency), 0, None);
            while parts.len() < self.concurrency {
                match told.recv_timeout(LOOK) {
                    Ok(Message::Warm) => {
                        warm += 1;
                        if warm == self.concurrency {
                            peak.look();
                            cpu = process::cpu();
                            gate.open(began + self.time);
                        }
                    }
                    Ok(Message::Done(part)) => parts.push(part?),
                    Err(RecvTimeoutError::Timeout) => {
                        peak.look();
                        tick((began.elapsed().as_secs_f64() / self.time.as_secs_f64()).min(1.0));
                    }
                    Err(RecvTimeoutError::Disconnected) => return Err(Error::msg("a measuring thread is gone")),
                }
            }
            // Of a thread that runs, neither the system nor the bridge has the last word on what it took.
            threads.into_iter().for_each(|thread| drop(thread.join()));
            let cpu = cpu.and_then(|before| process::cpu()?.checked_sub(before));
            Ok((parts, cpu))
        })
    }

    fn on_thread(&self, gate: &Gate, tell: Sender<Message>) {
        let part = catch_unwind(AssertUnwindSafe(|| self.part(gate, &tell)));
        let part = part.unwrap_or_else(|_| Err(Error::msg(format!("a fragment panicked on {}", self.kind.name))));
        // Nobody listens when another thread has failed already.
        let _ = tell.send(Message::Done(part));
    }

    fn part(&self, gate: &Gate, tell: &Sender<Message>) -> Result<Part> {
        let run = || (self.kind.run)(self.work);
        run()?; // what is made once is made here
        let mut times = Histogram::default();
        let _ = tell.send(Message::Warm);
        let until = gate.wait();
        let start = Instant::now();
        let mut end = start;
        if let Some(until) = until {
            loop {
                run()?;
                // One look at the clock for each: the end of this one is the next one's beginning.
                let now = Instant::now();
                times.add((now - end).as_nanos() as u64);
                end = now;
                if times.count >= self.fragments || now >= until || self.stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        }
        Ok(Part { start, end, times })
    }
}

/// Where the threads wait for one another, so that all run at the same time.
#[derive(Default)]
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    Shut,
    /// Run until then.
    Open(Instant),
    /// Go home.
    Closed,
}

impl Gate {
    fn wait(&self) -> Option<Instant> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let shut = |state: &mut State| matches!(state, State::Shut);
        match *self.changed.wait_while(state, shut).unwrap_or_else(PoisonError::into_inner) {
            State::Open(until) => Some(until),
            State::Shut | State::Closed => None,
        }
    }

    fn open(&self, until: Instant) {
        self.set(State::Open(until));
    }

    fn set(&self, to: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = to;
        self.changed.notify_all();
    }
}

struct CloseOnDrop<'a>(&'a Gate);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.set(State::Closed);
    }
}
