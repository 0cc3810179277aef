//! What `fuzz/` holds against the reading of requests. Each function takes any bytes whatever, and panics when a promise
//! is broken.

use http::{HeaderMap, Version, header};

use super::{BodyDecoder, Framing, HeadLimits, Progress, Refusal, RequestHead, parse_head, put_chunk};

/// The first bytes choose limits, the others are a head: its beginnings say nothing else than itself, and what is taken
/// is sound.
pub fn head(data: &[u8]) {
    let [choice, input @ ..] = data else { return };
    let limits = match choice % 4 {
        0 => HeadLimits { bytes: 64, headers: 2, target: 16 },
        1 => HeadLimits { bytes: 512, headers: 80, target: 600 },
        _ => HeadLimits { bytes: 16 * 1024, headers: 100, target: 8 * 1024 },
    };
    let whole = parse_head(input, &limits);
    if let Ok(Some(head)) = &whole {
        check(head, &input[..head.len], &limits);
    }
    // All of them would take too long where the input is.
    let step = input.len() / 600 + 1;
    let near = whole.as_ref().ok().and_then(Option::as_ref).map_or(0, |head| head.len);
    for end in (0..input.len()).step_by(step).chain([near.saturating_sub(1), near]) {
        match (parse_head(&input[..end], &limits), &whole) {
            (Ok(None), Ok(Some(head))) => assert!(end < head.len, "it was there at {end}"),
            (Ok(None), _) => {}
            (Ok(Some(part)), Ok(Some(head))) => assert_eq!(story(&part), story(head), "at {end}"),
            (Err(part), Err(refusal)) => assert_eq!(part, *refusal, "at {end}"),
            (part, whole) => panic!("at {end} {part:?}, then {whole:?}"),
        }
    }
}

/// What holds for each head that is taken.
fn check(head: &RequestHead, input: &[u8], limits: &HeadLimits) {
    assert!(head.len <= limits.bytes && head.headers.len() <= limits.headers + 1);
    assert!(input.ends_with(b"\r\n\r\n"));
    let hosts: Vec<_> = head.headers.get_all(header::HOST).iter().collect();
    assert!(hosts.len() <= 1 && hosts.iter().all(|host| !host.is_empty()));
    assert!(head.version == Version::HTTP_10 || head.version == Version::HTTP_11 && hosts.len() == 1);
    let (length, encoding) = (head.headers.get(header::CONTENT_LENGTH), head.headers.get(header::TRANSFER_ENCODING));
    match head.framing {
        Framing::Empty => {
            assert!(encoding.is_none() && length.is_none_or(|text| text.as_bytes().iter().all(|b| *b == b'0')))
        }
        Framing::Sized(_) => assert!(encoding.is_none() && length.is_some()),
        Framing::Chunked => assert!(encoding.is_some() && length.is_none() && head.version == Version::HTTP_11),
    }
    assert!(!head.expects_continue || head.framing != Framing::Empty);
    // Another reader, which is laxer, reads the same.
    let mut room = vec![httparse::EMPTY_HEADER; 128];
    let mut other = httparse::Request::new(&mut room);
    let fields = input.iter().filter(|byte| **byte == b'\n').count();
    if fields < 100 && !matches!(minor(input), b'2'..=b'9') {
        assert_eq!(other.parse(input), Ok(httparse::Status::Complete(input.len())));
        assert_eq!(other.method, Some(head.method.as_str()));
        assert_eq!(other.version, Some(u8::from(head.version == Version::HTTP_11)));
        let absolute = head.uri.scheme().is_some();
        assert!(absolute || other.headers.len() == head.headers.len());
        assert!(absolute || other.path == Some(head.uri.to_string().as_str()));
    }
}

/// The digit behind `HTTP/1.`.
fn minor(input: &[u8]) -> u8 {
    let start = input.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(0);
    let end = input[start..].iter().position(|byte| *byte == b'\r').unwrap_or(0);
    input[(start + end).saturating_sub(1)]
}

fn story(head: &RequestHead) -> String {
    format!("{head:?}")
}

/// A body in chunks is the same however it is cut and whatever there is room for; thrown away, it ends at the same place.
pub fn chunked(data: &[u8]) {
    let [step, room, input @ ..] = data else { return };
    let all = input.len().max(1);
    let whole = Decoded::of(input, &[all], all, Way::Decode);
    assert!(whole.consumed <= input.len() && whole.body.len() <= input.len());
    let (step, room) = (usize::from(*step) + 1, usize::from(*room) + 1);
    for (steps, room, way) in [
        (&[1][..], 1, Way::Decode),
        (&[1], all, Way::Decode),
        (&[step], room, Way::Decode),
        (&[step], room, Way::Raw),
        (&[step, all], all, Way::Decode),
        (&[all], room, Way::Raw),
    ] {
        assert_eq!(Decoded::of(input, steps, room, way), whole, "{steps:?} {room} {way:?}");
    }
    let skipped = Decoded::of(input, &[step], room, Way::Skip);
    assert_eq!((skipped.consumed, skipped.skipped), (whole.consumed, whole.body.len()));
    assert_eq!((skipped.done, skipped.refusal), (whole.done, whole.refusal));
    if whole.done {
        let mut again = Vec::new();
        whole.body.chunks(step).for_each(|block| put_chunk(&mut again, block));
        again.extend_from_slice(super::LAST_CHUNK);
        let second = Decoded::of(&again, &[again.len()], again.len(), Way::Decode);
        assert!(second.done && second.body == whole.body && second.consumed == again.len());
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Decode,
    Skip,
    /// Past the decoder, where it says that it may be.
    Raw,
}

#[derive(Debug, PartialEq)]
struct Decoded {
    body: Vec<u8>,
    skipped: usize,
    consumed: usize,
    done: bool,
    refusal: Option<Refusal>,
    trailers: HeaderMap,
}

impl Decoded {
    /// Feeds a body in chunks in pieces of `steps` bytes, over and over, into blocks of `room`.
    fn of(input: &[u8], steps: &[usize], room: usize, way: Way) -> Decoded {
        let mut decoder = BodyDecoder::new(Framing::Chunked);
        let (mut body, mut skipped, mut consumed, mut refusal) = (Vec::new(), 0, 0, None);
        let (mut end, mut steps) = (0, steps.iter().cycle());
        while refusal.is_none() && !decoder.is_done() && end < input.len() {
            end = (end + steps.next().expect("there is one")).min(input.len());
            while consumed < end && !decoder.is_done() {
                match pass(&mut decoder, &input[consumed..end], room, way, &mut body) {
                    Ok(progress) => {
                        consumed += progress.consumed;
                        skipped += progress.produced;
                    }
                    Err(why) => {
                        refusal = Some(why);
                        break;
                    }
                }
            }
        }
        let done = decoder.is_done();
        let trailers = if way == Way::Skip { HeaderMap::new() } else { decoder.take_trailers() };
        // Where exactly a refusal strikes is told by the body alone.
        let consumed = if refusal.is_some() { 0 } else { consumed };
        let skipped = if way == Way::Skip { skipped } else { 0 };
        Decoded { body, skipped, consumed, done, refusal, trailers }
    }
}

/// One step of a decoder, which must get on.
fn pass(
    decoder: &mut BodyDecoder,
    input: &[u8],
    room: usize,
    way: Way,
    body: &mut Vec<u8>,
) -> Result<Progress, Refusal> {
    let raw = usize::try_from(decoder.raw_left()).unwrap_or(usize::MAX).min(input.len()).min(room);
    let mut out = vec![0; room];
    let progress = match way {
        Way::Skip => decoder.skip(input)?,
        Way::Raw if raw > 0 => {
            decoder.advance(raw as u64);
            out[..raw].copy_from_slice(&input[..raw]);
            Progress { consumed: raw, produced: raw }
        }
        _ => decoder.decode(input, &mut out)?,
    };
    assert!(progress.consumed <= input.len() && progress.produced <= progress.consumed);
    assert!(progress.consumed > 0, "it does not get on");
    if way != Way::Skip {
        body.extend_from_slice(&out[..progress.produced]);
    }
    Ok(progress)
}

/// All that a client sends, in pieces as the first bytes say: the same requests, bodies and refusal as at once.
pub fn connection(data: &[u8]) {
    let [count, room, rest @ ..] = data else { return };
    let Some((steps, stream)) = rest.split_at_checked(usize::from(*count % 16)) else { return };
    let room = usize::from(*room) + 1;
    let whole = serve(stream, &[], stream.len() + 1, Way::Decode);
    for way in [Way::Decode, Way::Raw] {
        assert_eq!(serve(stream, steps, room, way), whole);
    }
    assert_eq!(serve(stream, &[0], 7, Way::Decode), whole);
    // A body that nobody reads leaves the same behind it.
    let bodiless = |events: Vec<Event>| -> Vec<Event> {
        events.into_iter().filter(|event| !matches!(event, Event::Body { .. })).collect()
    };
    assert_eq!(bodiless(serve(stream, steps, room, Way::Skip)), bodiless(whole));
}

#[derive(Debug, PartialEq)]
enum Event {
    Head(String),
    Body {
        bytes: Vec<u8>,
        trailers: HeaderMap,
    },
    Refused(Refusal),
    /// So many bytes were never looked at, since the connection was to end before them.
    Closed(usize),
    /// The stream ended within a head.
    InHead,
    InBody,
}

/// What an engine would see of a stream that comes in pieces of `steps` (plus one) bytes, over and over.
fn serve(stream: &[u8], steps: &[u8], room: usize, way: Way) -> Vec<Event> {
    let limits = HeadLimits { bytes: 1024, headers: 20, target: 256 };
    let mut steps = steps.iter().cycle();
    let (mut events, mut at, mut end) = (Vec::new(), 0, 0);
    let mut more = |end: &mut usize| {
        let step = steps.next().map_or(stream.len(), |step| usize::from(*step) + 1);
        let grown = *end < stream.len();
        *end = (*end + step).min(stream.len());
        grown
    };
    loop {
        let head = match parse_head(&stream[at..end], &limits) {
            Ok(Some(head)) => head,
            Ok(None) if more(&mut end) => continue,
            Ok(None) => break events.push(Event::InHead),
            Err(refusal) => break events.push(Event::Refused(refusal)),
        };
        assert!(head.len <= end - at && head.len > 0);
        at += head.len;
        events.push(Event::Head(story(&head)));
        let (mut decoder, mut bytes) = (BodyDecoder::new(head.framing), Vec::new());
        let outcome = loop {
            if decoder.is_done() {
                break None;
            }
            if at == end && !more(&mut end) {
                break Some(Event::InBody);
            }
            match pass(&mut decoder, &stream[at..end], room, way, &mut bytes) {
                Ok(progress) => at += progress.consumed,
                Err(refusal) => break Some(Event::Refused(refusal)),
            }
        };
        events.push(Event::Body { bytes, trailers: decoder.take_trailers() });
        if let Some(event) = outcome {
            break events.push(event);
        }
        if !head.keep_alive {
            break events.push(Event::Closed(stream.len() - at));
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    /// What the fuzzers begin with holds without them, too.
    #[test]
    fn the_seeds_of_the_fuzzers() {
        for (name, target) in
            [("head", super::head as fn(&[u8])), ("chunked", super::chunked), ("connection", super::connection)]
        {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
            // The published package has no fuzzers.
            let Ok(files) = fs::read_dir(folder) else { continue };
            for file in files {
                target(&fs::read(file.expect("it is listed").path()).expect("it can be read"));
            }
        }
    }
}
