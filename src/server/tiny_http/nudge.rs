//! Frees connections that tiny_http has forgotten.
//!
//! tiny_http gives a new connection to an idle thread when it believes there is one. In a burst that number is stale:
//! several connections are left to one thread, and all but the first wait until that one is closed by its client, however
//! many others come. A connection that comes when no thread is idle gets a new thread, and that one looks for forgotten
//! ones when its own is over. So we connect to ourselves, and hang up at once.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::pool::Watch;
use crate::server::Addr;

/// How often, while requests come or are handled.
const PACE: Duration = Duration::from_millis(100);
/// How often at first after a time of quiet, when a burst is most likely, and how many times.
const FIRST_PACE: Duration = Duration::from_millis(5);
const FIRST: u32 = 64;
/// How long after such a beginning there is not another one.
const REST: Duration = Duration::from_secs(2);

pub(super) fn run(addr: Addr, watch: &Watch) {
    let (mut awakening, mut jobs) = (0, 0);
    let mut last_beginning: Option<Instant> = None;
    while watch.until_awake(&mut awakening) {
        let beginning = last_beginning.is_none_or(|last| last.elapsed() > REST);
        for round in 0_u32.. {
            watch.pause(if beginning && round < FIRST { FIRST_PACE } else { PACE });
            let before = std::mem::replace(&mut jobs, watch.jobs());
            if watch.closing() || (jobs == before && !watch.busy()) {
                break;
            }
            if beginning && round == 0 {
                last_beginning = Some(Instant::now());
            }
            knock(&addr);
        }
    }
}

fn knock(addr: &Addr) {
    match addr {
        Addr::Tcp(addr) => {
            let ip = match addr.ip() {
                IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
                ip => ip,
            };
            let _ = TcpStream::connect_timeout(&SocketAddr::new(ip, addr.port()), PACE);
        }
        #[cfg(unix)]
        Addr::Unix(path) => {
            let _ = crate::server::listen::knock(path);
        }
    }
}
