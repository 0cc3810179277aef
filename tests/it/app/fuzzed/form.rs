//! Bodies that are said to be forms.

use std::io::{Cursor, Read};

use dewar::{Body, Request};

/// The first byte says which kind of form it is, and how the body is cut; the rest is the body. How it is cut must not
/// matter, and nothing may be made of it that is larger than what came.
pub(crate) fn form(data: &[u8]) {
    let Some((how, body)) = data.split_first() else { return };
    let kind = match how & 1 {
        0 => "multipart/form-data; boundary=bound",
        _ => "application/x-www-form-urlencoded",
    };
    let whole = read(kind, Body::from(body.to_vec()));
    let step = usize::from(how >> 1 & 15) + 1;
    let cut = read(kind, Body::reader(Cut { rest: Cursor::new(body.to_vec()), step }));
    assert_eq!(whole, cut, "cut into pieces of {step} bytes");
}

#[derive(Debug, PartialEq)]
struct Seen {
    fields: Vec<(String, String)>,
    files: Vec<(String, String, String, Vec<u8>)>,
    malformed: bool,
}

/// What there is in it, or the status that refuses it.
fn read(kind: &str, body: Body) -> Result<Seen, u16> {
    let request = Request::post("/", body).with_header("content-type", kind);
    let length = request.content_length();
    let form = request.form().map_err(|error| error.status().as_u16())?;
    let fields = form.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut files = Vec::new();
    for file in form.files.iter() {
        let bytes = file.read().expect("it is in memory or in a file of ours").to_vec();
        assert_eq!(bytes.len() as u64, file.len());
        assert!(length.is_none_or(|length| bytes.len() as u64 <= length), "a file is larger than the body");
        files.push((file.name().to_owned(), file.filename().to_owned(), file.mimetype(), bytes));
    }
    Ok(Seen { fields, files, malformed: form.malformed().is_some() })
}

struct Cut {
    rest: Cursor<Vec<u8>>,
    step: usize,
}

impl Read for Cut {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let most = into.len().min(self.step);
        self.rest.read(&mut into[..most])
    }
}
