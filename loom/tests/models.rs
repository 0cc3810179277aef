// The models. A connection is a cell that loom watches: two who have it at once, or one after the other without the
// first one's changes being seen by the second, are a failure. So is a flag that was told and never seen.

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::{Arc, Mutex};
use loom::thread;

use super::claim::{Claim, GONE, HALF, Outcome, READ, WRITE};

fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// What its owners know of a connection.
#[derive(Default)]
struct Conn {
    /// Which one it is, whatever the claim says.
    number: u32,
    /// Flags that an owner has seen.
    seen: u8,
    turns: u32,
}

struct World {
    claim: Claim,
    conn: UnsafeCell<Conn>,
    /// What an event is told for, by the bit of its flag: written before it is told, read by who sees the flag.
    socket: [UnsafeCell<bool>; 4],
}

// SAFETY: all of it is reached through cells that loom watches.
unsafe impl Sync for World {}
// SAFETY: as above.
unsafe impl Send for World {}

impl World {
    /// With a connection that is the caller's.
    fn new() -> (Arc<World>, u32) {
        let socket = std::array::from_fn(|_| UnsafeCell::new(false));
        let world = World { claim: Claim::new(), conn: UnsafeCell::new(Conn::default()), socket };
        let generation = world.claim.open();
        world.with(|conn| conn.number = 1);
        (Arc::new(world), generation)
    }

    /// For owners.
    fn with<R>(&self, on: impl FnOnce(&mut Conn) -> R) -> R {
        // SAFETY: loom panics when this is not the only one.
        self.conn.with_mut(|conn| on(unsafe { &mut *conn }))
    }

    fn see(&self, flags: u8) {
        for (bit, cell) in self.socket.iter().enumerate() {
            if flags & (1 << bit) != 0 {
                // SAFETY: loom panics when it is being written, or when that was not before this.
                assert!(cell.with(|happened| unsafe { *happened }));
            }
        }
        self.with(|conn| {
            conn.seen |= flags;
            conn.turns += 1;
        });
    }

    /// What an owner does: acts on flags, until it may let go.
    fn drive(&self, mut flags: u8) {
        loop {
            self.see(flags);
            match self.claim.release() {
                Ok(()) => return,
                Err(more) => flags = more,
            }
        }
    }

    /// What a poller does with an event.
    fn event(&self, of: u32, flag: u8) -> Outcome {
        // SAFETY: each flag is told once in a model, and read by who has seen it.
        self.socket[flag.trailing_zeros() as usize].with_mut(|happened| unsafe { *happened = true });
        let outcome = self.claim.event(of, flag);
        if outcome == Outcome::Mine {
            self.drive(flag);
        }
        outcome
    }

    /// What the clock does.
    fn timer(&self) {
        if let Some(generation) = self.claim.idle_generation()
            && self.claim.take(generation)
        {
            self.drive(0);
        }
    }

    /// All have let go.
    fn seen(&self) -> u8 {
        assert!(self.claim.idle_generation().is_some(), "somebody keeps it");
        assert_eq!(self.claim.release(), Ok(()), "a flag is left over");
        self.with(|conn| conn.seen)
    }
}

fn spawn(world: &Arc<World>, job: impl FnOnce(&World) + 'static) -> thread::JoinHandle<()> {
    let world = Arc::clone(world);
    thread::spawn(move || job(&world))
}

fn join(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("loom tells of panics by itself");
    }
}

/// Two pollers and the clock meet at a connection that nobody has.
pub(super) fn idle() {
    check(|| {
        let (world, generation) = World::new();
        world.drive(0);
        join([
            spawn(&world, move |world| _ = world.event(generation, READ)),
            spawn(&world, move |world| _ = world.event(generation, HALF)),
            spawn(&world, World::timer),
        ]);
        assert_eq!(world.seen(), READ | HALF);
    });
}

/// Two pollers and the clock, while its owner lets go of it: a new connection, whose first bytes come at once.
pub(super) fn owned() {
    check(|| {
        let (world, generation) = World::new();
        let others = [
            spawn(&world, move |world| _ = world.event(generation, READ)),
            spawn(&world, move |world| _ = world.event(generation, HALF)),
            spawn(&world, World::timer),
        ];
        world.drive(0);
        join(others);
        assert_eq!(world.seen(), READ | HALF);
    });
}

/// The same with the place that the connection is put into before it is let go: who owns it always finds it there.
pub(super) fn placed() {
    struct Place {
        claim: Claim,
        conn: Mutex<Option<u8>>,
    }

    impl Place {
        fn drive(&self, mut seen: u8) {
            loop {
                assert!(self.conn.lock().unwrap().replace(seen).is_none(), "two connections in one place");
                match self.claim.release() {
                    Ok(()) => return,
                    Err(flags) => seen = flags | self.conn.lock().unwrap().take().expect("nobody else takes it"),
                }
            }
        }

        fn event(&self, of: u32, flag: u8) {
            if self.claim.event(of, flag) == Outcome::Mine {
                let seen = self.conn.lock().unwrap().take().expect("it is put there before it is let go");
                self.drive(seen | flag);
            }
        }
    }

    check(|| {
        let place = Arc::new(Place { claim: Claim::new(), conn: Mutex::new(None) });
        let generation = place.claim.open();
        let others = [READ, HALF].map(|flag| {
            let place = Arc::clone(&place);
            thread::spawn(move || place.event(generation, flag))
        });
        place.drive(0);
        join(others);
        assert_eq!(*place.conn.lock().unwrap(), Some(READ | HALF));
    });
}

/// Its owner parks it, and another thread takes it back: what comes meanwhile is there then.
pub(super) fn parked() {
    check(|| {
        let (world, generation) = World::new();
        let others = [
            spawn(&world, move |world| _ = world.event(generation, READ)),
            spawn(&world, |world| {
                while let Err(flags) = world.claim.park() {
                    world.see(flags);
                }
                // Who parked it keeps it, and only the claim does not say so.
                world.with(|conn| conn.turns += 1);
                let flags = world.claim.unpark();
                world.drive(flags);
            }),
            spawn(&world, World::timer),
        ];
        world.event(generation, HALF);
        join(others);
        assert_eq!(world.seen(), READ | HALF);
    });
}

/// A connection ends, and its place goes to the next one, while events of both come.
pub(super) fn reopened() {
    check(|| {
        let (world, old) = World::new();
        let free = Arc::new(Mutex::new(false));
        let late = spawn(&world, move |world| {
            // Of the old one, at any time: it may be noted while that is there, and after that it is nobody's.
            assert_ne!(world.event(old, HALF), Outcome::Mine, "its owner never lets go of it");
        });
        let next = {
            let free = Arc::clone(&free);
            spawn(&world, move |world| {
                if !std::mem::take(&mut *free.lock().unwrap()) {
                    return;
                }
                let generation = world.claim.open();
                world.with(|conn| *conn = Conn { number: 2, ..Conn::default() });
                // Its own event, which comes from a set that it was added to after it was opened.
                world.drive(0);
                world.event(generation, WRITE);
            })
        };
        world.see(0);
        world.claim.close();
        *free.lock().unwrap() = true;
        join([late, next]);
        assert_eq!(world.claim.event(old, GONE), Outcome::Stale);
        if !*free.lock().unwrap() {
            assert_eq!(world.seen(), WRITE, "what was told of the old one is none of the new one's");
        }
    });
}

/// The clock has seen the old connection idle, and comes when the new one is.
pub(super) fn late_timer() {
    check(|| {
        let (world, old) = World::new();
        world.drive(0);
        let timer = spawn(&world, World::timer);
        let late = spawn(&world, move |world| {
            if world.claim.take(old) {
                world.with(|conn| assert_eq!(conn.number, 1, "it is the new one"));
                world.drive(0);
            }
        });
        if world.take_and_close(old) {
            world.claim.open();
            world.with(|conn| *conn = Conn { number: 2, ..Conn::default() });
            world.drive(0);
        }
        join([timer, late]);
        world.seen();
    });
}

impl World {
    /// Ends it, if nobody else has it.
    fn take_and_close(&self, of: u32) -> bool {
        let mine = self.claim.take(of);
        if mine {
            self.see(0);
            self.claim.close();
        }
        mine
    }
}
