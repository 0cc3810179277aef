//! Running a case against a server.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::Engine;
use super::answer::{Answer, Answers, Trouble};
use super::script::{BodyWant, Case, End, Expected, Seen, Step};
use super::services::{PROBE, Wired};

/// How long to wait for what must come.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait where it is known that it does not come.
const NO_PATIENCE: Duration = Duration::from_millis(150);
/// How long to look whether an engine that does not close connections sends something more. Too short a time can only
/// hide a failure.
const LOOK: Duration = Duration::from_millis(40);
/// What is longer is sent byte by byte at its ends only.
const LONG: usize = 3000;

/// Into which pieces the same bytes are cut: an engine must not care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pieces {
    Lines,
    Whole,
    Bytes,
}

impl Pieces {
    pub(crate) const ALL: [Pieces; 3] = [Pieces::Lines, Pieces::Whole, Pieces::Bytes];
}

/// Runs it; the error is the difference.
pub(crate) fn run(case: &Case, wired: &Wired, engine: &Engine, pieces: Pieces) -> Result<(), String> {
    let patience = if case.fails.contains_key(engine.name) { NO_PATIENCE } else { PATIENCE };
    let stream = TcpStream::connect(wired.server.addr()).map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let client = stream.local_addr().map_err(|error| error.to_string())?;
    wired.log.begin(client);
    let answers = Answers::of(stream.try_clone().map_err(|error| error.to_string())?);
    let may_continue = case.may_continue || engine.continues_needlessly;
    let mut talk =
        Talk { stream, answers, engine, pieces, patience, unsent: Vec::new(), expected: Vec::new(), may_continue };
    talk.steps(&case.steps)?;
    talk.end(case)?;

    let count = if let Seen::Just(wanted) = &case.seen { wanted.len() } else { 0 };
    let seen = wired.log.of(client, count, patience);
    let whole = |line: &String| !line.ends_with(" cut");
    match &case.seen {
        _ if seen.iter().any(|line| line.contains("smuggled")) => {
            Err(format!("the service was asked what was smuggled: {seen:?}"))
        }
        Seen::Just(wanted) => {
            let mut wanted = wanted.clone();
            wanted.sort();
            if wanted == seen { Ok(()) } else { Err(format!("the service was asked {seen:?}, not {wanted:?}")) }
        }
        Seen::NothingWhole if seen.iter().any(whole) => {
            Err(format!("the service was given as whole what is not: {seen:?}"))
        }
        _ => Ok(()),
    }
}

struct Talk<'a> {
    stream: TcpStream,
    answers: Answers,
    engine: &'a Engine,
    may_continue: bool,
    pieces: Pieces,
    patience: Duration,
    unsent: Vec<&'a [u8]>,
    expected: Vec<&'a Expected>,
}

impl<'a> Talk<'a> {
    fn steps(&mut self, steps: &'a [Step]) -> Result<(), String> {
        for step in steps {
            match step {
                Step::Send(bytes) => self.unsent.push(bytes),
                Step::Expect(expected) => self.expected.push(expected),
                Step::Pause => {
                    self.send();
                    self.receive()?;
                }
                Step::HalfClose => {
                    self.send();
                    let _ = self.stream.shutdown(Shutdown::Write);
                }
            }
        }
        self.send();
        self.receive()
    }

    /// A server may close before it has everything, so that writing fails: what it has sent tells whether it was right.
    fn send(&mut self) {
        let lines = std::mem::take(&mut self.unsent);
        let whole = lines.concat();
        let (start, end) = match whole.len() {
            length if length > LONG => (LONG / 2, length - LONG / 2),
            length => (length, length),
        };
        let stream = &mut self.stream;
        let _ = match self.pieces {
            Pieces::Lines => lines.into_iter().try_for_each(|line| stream.write_all(line)),
            Pieces::Whole => stream.write_all(&whole),
            Pieces::Bytes => {
                let pieces =
                    whole[..start].chunks(1).chain(whole[start..end].chunks(997)).chain(whole[end..].chunks(1));
                pieces.into_iter().try_for_each(|piece| stream.write_all(piece))
            }
        };
    }

    fn receive(&mut self) -> Result<(), String> {
        let expected = std::mem::take(&mut self.expected);
        for (n, wanted) in expected.into_iter().enumerate() {
            let idle = wanted.maybe && !self.engine.closes;
            self.answers.wait_for(if idle { LOOK } else { self.patience });
            match self.next(wanted) {
                Ok(answer) => differs(wanted, &answer).map_or(Ok(()), |what| {
                    Err(format!("answer {}: {what}\n        it is {}", n + 1, answer.summary()))
                })?,
                Err(Trouble::Closed) if wanted.maybe => {}
                Err(Trouble::Silence) if idle => {}
                Err(trouble) => return Err(format!("answer {}, {:?}: {trouble}", n + 1, wanted.statuses)),
            }
        }
        Ok(())
    }

    fn next(&mut self, wanted: &Expected) -> Result<Answer, Trouble> {
        loop {
            let answer = self.answers.next(wanted.is_bodiless())?;
            if answer.status != 100 || wanted.statuses.contains(&100) || !self.may_continue {
                return Ok(answer);
            }
        }
    }

    fn end(&mut self, case: &Case) -> Result<(), String> {
        if case.end == End::Close && !self.engine.closes {
            return self.end_without_close();
        }
        if case.end == End::Enough {
            return Ok(());
        }
        if case.end != End::Close {
            // On a closed connection this fails, which reading tells as well.
            let _ = self.stream.write_all(format!("GET {PROBE} HTTP/1.1\r\nHost: probe\r\n\r\n").as_bytes());
        }
        let idle = case.end == End::Either && !self.engine.closes;
        self.answers.wait_for(if idle { LOOK } else { self.patience });
        match (self.answers.next(false), case.end) {
            (Err(Trouble::Closed), End::Close | End::Either) => Ok(()),
            (Err(Trouble::Closed), End::Open) => Err("the connection was closed".into()),
            (Ok(answer), End::Open | End::Either) if answer.body == b"the probe's answer" => Ok(()),
            (Ok(answer), _) if idle && answer.status == 400 => Ok(()),
            (Err(Trouble::Silence), _) if idle => Ok(()),
            (Ok(answer), _) => Err(format!("another answer came: {}", answer.summary())),
            (Err(trouble), End::Close) => Err(format!("the connection was not closed: {trouble}")),
            (Err(trouble), _) => Err(format!("the probe was not answered: {trouble}")),
        }
    }

    /// Where the engine leaves it to the client to close, nothing may come but refusals.
    fn end_without_close(&mut self) -> Result<(), String> {
        let _ = self.stream.shutdown(Shutdown::Write);
        self.answers.wait_for(LOOK);
        loop {
            match self.answers.next(false) {
                Ok(answer) if answer.status == 400 || answer.status == 100 => {}
                Ok(answer) => return Err(format!("another answer came: {}", answer.summary())),
                Err(Trouble::Nonsense(what)) => return Err(format!("something more came: {what}")),
                Err(Trouble::Closed | Trouble::Silence) => return Ok(()),
            }
        }
    }
}

fn differs(wanted: &Expected, answer: &Answer) -> Option<String> {
    if !wanted.statuses.contains(&answer.status) {
        return Some(format!("the status should be one of {:?}", wanted.statuses));
    }
    if wanted.version.as_ref().is_some_and(|version| *version != answer.version) {
        return Some(format!("the version should be {:?}", wanted.version));
    }
    for (name, value) in &wanted.headers {
        if answer.header(name) != value.as_deref() {
            return Some(format!("the header {name} should be {value:?}"));
        }
    }
    let cut = wanted.body.iter().any(|want| matches!(want, BodyWant::Cut));
    if cut != answer.cut {
        return Some(format!("the body should {}break off", if cut { "" } else { "not " }));
    }
    wanted.body.iter().find_map(|want| match want {
        BodyWant::Is(body) if *body != answer.body => Some(format!("the body should be \"{}\"", body.escape_ascii())),
        BodyWant::Has(part) if !answer.body.windows(part.len()).any(|window| window == part) => {
            Some(format!("the body should have \"{}\" in it", part.escape_ascii()))
        }
        _ => None,
    })
}
