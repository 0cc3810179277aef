//! Which connections have something to say, by whatever the system has for that.
//!
//! | where | by | workers that lead no shard wait |
//! | --- | --- | --- |
//! | Linux, Android | `epoll` itself | in the [`Lounge`], a set too: each event there wakes one of them |
//! | macOS, the BSDs, other Unix | the crate `polling`: kqueue, event ports, poll | in the [`Lounge`], which is a bell only |
//!
//! With `--cfg dewar_polling` Linux does as the others do, so that its tests can tell of both.
//!
//! What [`Ready`] promises in either case:
//!
//! - **An event is told once**, to the one thread that waits; [`Claim`](super::claim::Claim) sees to it that it is not
//!   lost. Tokens are numbers, never pointers, since an event may outlive its connection.
//! - **`add` and `change` tell what can be done at that moment**, also when it was told before. Whoever has not used up
//!   what it was told of, or does not know what happened meanwhile, has only to change the interest, even to the same.
//! - **Some sets forget** an interest when they have told of it ([`Ready::forgets`]): then it is to be changed, even to
//!   the same, before anything is waited for.
//! - **`READ` comes with `HALF` when the end may have come with it**: an end that came together with the last bytes is
//!   told with them or not at all. Too many of those cost a read that finds nothing.
//! - **`GONE` comes only where the system can tell that apart** from the end of what the client sends. Elsewhere reading
//!   and writing tell.
//! - A source is kept open until it is removed from the set.

#[cfg(all(any(target_os = "linux", target_os = "android"), not(dewar_polling)))]
mod epoll;
#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(dewar_polling))))]
mod guard;
#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(dewar_polling))))]
mod polling;

#[cfg(all(any(target_os = "linux", target_os = "android"), not(dewar_polling)))]
pub(super) use epoll::{Found, Lounge, Ready};
#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(dewar_polling))))]
pub(super) use polling::{Found, Lounge, Ready};

/// Something can be done with a descriptor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub(super) token: u64,
    /// As in [`claim`](super::claim).
    pub(super) flags: u8,
}

/// What to be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interest {
    Read,
    Write,
    /// At most that the connection is broken: while somebody reads or writes it without asking us.
    Muted,
    /// Told again and again for as long as it can be read, or until the set [forgets](Ready::forgets): a listener.
    Listener,
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read, Write};
    use std::os::unix::net::UnixStream;
    use std::sync::{Arc, mpsc};
    use std::thread;
    use std::time::Duration;

    use super::super::claim::{HALF, READ, WRITE};
    use super::*;

    fn wait(ready: &Ready) -> u8 {
        let mut events = Vec::new();
        ready.wait(&mut Found::new(), &mut events, false);
        assert!(events.iter().all(|event| event.token == 7));
        events.iter().fold(0, |flags, event| flags | event.flags)
    }

    /// What is told of the token 7.
    fn told(ready: &Ready) -> u8 {
        let (done, waited) = mpsc::channel::<()>();
        thread::scope(|scope| {
            // So that a test fails rather than hangs.
            scope.spawn(move || waited.recv_timeout(Duration::from_secs(20)).is_err().then(|| ready.wake()));
            let flags = wait(ready);
            let _ = done.send(());
            flags
        })
    }

    /// Nothing is told: the wait ends because it is woken.
    fn is_quiet(ready: &Ready) -> bool {
        ready.wake();
        wait(ready) == 0
    }

    #[test]
    fn what_is_there_is_told_once_and_again_when_it_is_asked_anew() -> io::Result<()> {
        let (ours, mut theirs) = UnixStream::pair()?;
        let (ready, ours) = (Ready::new()?, Arc::new(ours));
        theirs.write_all(b"x")?;
        ready.add(&ours, 7, Interest::Read)?;
        assert_eq!(told(&ready) & (READ | WRITE), READ);
        assert!(is_quiet(&ready));
        ready.change(&ours, 7, Interest::Read)?;
        assert_eq!(told(&ready) & (READ | WRITE), READ);
        ready.change(&ours, 7, Interest::Write)?;
        assert_eq!(told(&ready) & WRITE, WRITE);
        ready.change(&ours, 7, Interest::Muted)?;
        theirs.write_all(b"y")?;
        assert!(is_quiet(&ready));
        ready.change(&ours, 7, Interest::Read)?;
        assert_eq!(told(&ready) & READ, READ);
        (&*ours).read_exact(&mut [0; 2])?;
        if ready.forgets() {
            ready.change(&ours, 7, Interest::Read)?;
        }
        assert!(is_quiet(&ready));
        theirs.write_all(b"z")?;
        assert_eq!(told(&ready) & READ, READ);
        ready.remove(&ours);
        theirs.write_all(b"!")?;
        assert!(is_quiet(&ready));
        Ok(())
    }

    #[test]
    fn an_end_that_comes_with_the_last_bytes_is_told_with_them() -> io::Result<()> {
        let (ours, mut theirs) = UnixStream::pair()?;
        let (ready, ours) = (Ready::new()?, Arc::new(ours));
        ready.add(&ours, 7, Interest::Read)?;
        theirs.write_all(b"x")?;
        theirs.shutdown(std::net::Shutdown::Write)?;
        assert_eq!(told(&ready) & (READ | HALF), READ | HALF);
        Ok(())
    }

    #[test]
    fn what_was_removed_is_closed_with_its_last_use() -> io::Result<()> {
        let (ours, mut theirs) = UnixStream::pair()?;
        let (ready, ours) = (Ready::new()?, Arc::new(ours));
        ready.add(&ours, 7, Interest::Read)?;
        ready.remove(&ours);
        assert_eq!(Arc::strong_count(&ours), 1);
        drop(ours);
        assert_eq!(theirs.read(&mut [0])?, 0);
        Ok(())
    }
}
