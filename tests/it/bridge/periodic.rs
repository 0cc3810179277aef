//! Jobs that run again and again.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use dewar::bridge::{self, MissedTicks, luggage};

use crate::support;

const MS: Duration = Duration::from_millis(1);
const NEVER: Duration = Duration::from_secs(20);

/// A job that tells of each run, and hears of each.
fn ticking() -> (impl FnMut() -> std::future::Ready<()> + Send + 'static, mpsc::Receiver<Instant>) {
    let (tell, told) = mpsc::channel();
    let job = move || {
        let _ = tell.send(Instant::now());
        std::future::ready(())
    };
    (job, told)
}

#[test]
fn it_runs_again_and_again_until_it_is_stopped() {
    let _leaks = support::Leaks::watch();
    let (job, told) = ticking();
    let periodic = bridge::every(MS, job);
    let runs: Vec<_> = (0..5).map(|_| told.recv_timeout(NEVER).unwrap()).collect();
    assert!(runs.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!(periodic.is_running());
    assert!(periodic.runs() >= 4, "the fifth may not be counted yet");
    bridge::block_on(periodic.stop()).unwrap();
    // The job is gone with its end of the channel.
    told.iter().for_each(drop);
}

#[test]
fn the_first_run_comes_at_once_or_when_it_is_said() {
    let (job, told) = ticking();
    let _hourly = bridge::every(Duration::from_secs(3600), job);
    told.recv_timeout(NEVER).expect("not after an hour");
    let (job, told) = ticking();
    let start = Instant::now() + 5 * MS;
    let _later = bridge::every(bridge::interval_at(start, Duration::from_secs(3600)), job);
    assert!(told.recv_timeout(NEVER).unwrap() >= start);
}

#[test]
fn dropping_it_stops_it() {
    let _leaks = support::Leaks::watch();
    let (job, told) = ticking();
    let periodic = bridge::every(Duration::from_secs(3600), job);
    told.recv_timeout(NEVER).unwrap();
    drop(periodic);
    assert_eq!(told.recv_timeout(NEVER), Err(mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn runs_never_overlap_and_stop_waits_for_the_last() {
    let (running, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (tell, begun) = mpsc::channel();
    let job = {
        let (running, ended) = (Arc::clone(&running), Arc::clone(&ended));
        move || {
            let (running, ended, tell) = (Arc::clone(&running), Arc::clone(&ended), tell.clone());
            async move {
                assert!(!running.swap(true, Ordering::SeqCst), "two at once");
                let _ = tell.send(());
                bridge::sleep(5 * MS).await; // longer than the period
                running.store(false, Ordering::SeqCst);
                ended.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    let periodic = bridge::every(MS, job);
    for _ in 0..3 {
        begun.recv_timeout(NEVER).unwrap();
    }
    bridge::block_on(periodic.stop()).unwrap();
    assert!(!running.load(Ordering::SeqCst), "the run was ended, not cut");
    assert_eq!(ended.load(Ordering::SeqCst), 3 + begun.iter().count());
}

#[test]
fn stop_that_is_given_up_stops_all_the_same() {
    let (job, told) = ticking();
    let periodic = bridge::every(Duration::from_secs(3600), job);
    told.recv_timeout(NEVER).unwrap();
    drop(periodic.stop());
    assert_eq!(told.recv_timeout(NEVER), Err(mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn failed_runs_are_logged_and_the_next_one_comes() {
    let log = support::log_capture();
    let (tell, told) = mpsc::channel();
    let mut run = 0;
    let line = line!() + 1;
    let periodic = bridge::every(MS, move || {
        run += 1;
        let (run, tell) = (run, tell.clone());
        assert!(run != 1, "periodic: the closure");
        async move {
            assert!(run != 2, "periodic: the future");
            if run == 3 {
                return Err("periodic: in words");
            }
            tell.send(run).map_err(|_| "nobody listens")
        }
    });
    assert_eq!(told.recv_timeout(NEVER).unwrap(), 4);
    let place = format!("{}:{line}:", file!());
    for what in ["panicked: periodic: the closure", "panicked: periodic: the future", "failed: periodic: in words"] {
        let records = log.with(what);
        assert_eq!(records.len(), 1, "{records:?}");
        assert!(records[0].starts_with("ERROR") && records[0].contains(&place), "{records:?}");
    }
    assert!(periodic.runs() >= 3);
    assert!(format!("{periodic:?}").contains(&place));
}

#[test]
fn missed_runs_go_by_the_intervals_policy() {
    let past = Instant::now().checked_sub(Duration::from_secs(100)).unwrap();
    let period = Duration::from_secs(10);
    let (job, told) = ticking();
    let burst = bridge::every(bridge::interval_at(past, period), job);
    for _ in 0..10 {
        told.recv_timeout(NEVER).unwrap();
    }
    drop(burst);
    let (job, told) = ticking();
    let skip = bridge::every(bridge::interval_at(past, Duration::from_secs(3600)).missed(MissedTicks::Skip), job);
    told.recv_timeout(NEVER).unwrap();
    bridge::block_on(skip.stop()).unwrap();
    assert_eq!(told.iter().count(), 0);
}

#[test]
fn it_belongs_to_no_request() {
    let request = Arc::new("request 7");
    let (tell, told) = mpsc::channel();
    let packed = luggage::pack(Some(Arc::clone(&request) as luggage::Luggage));
    let _periodic = bridge::every(Duration::from_secs(3600), move || {
        let _ = tell.send(luggage::current().is_none());
        async {}
    });
    assert!(luggage::current().is_some(), "the caller keeps its own");
    drop(packed);
    assert!(told.recv_timeout(NEVER).unwrap());
    assert_eq!(Arc::strong_count(&request), 1);
}
