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
