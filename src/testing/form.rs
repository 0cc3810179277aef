//! Forms as a browser sends them.

use bytes::Bytes;

/// What a request's body will be made of.
#[derive(Debug, Clone)]
pub(super) enum Payload {
    Bytes(Bytes),
    Form { fields: Vec<(String, String)>, files: Vec<File>, multipart: bool },
}

#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) field: String,
    pub(super) filename: String,
    pub(super) content_type: String,
    pub(super) bytes: Bytes,
}

impl Payload {
    /// The form, which a body of bytes gives way to.
    pub(super) fn form(&mut self) -> (&mut Vec<(String, String)>, &mut Vec<File>, &mut bool) {
        if let Payload::Bytes(_) = self {
            *self = Payload::Form { fields: Vec::new(), files: Vec::new(), multipart: false };
        }
        match self {
            Payload::Form { fields, files, multipart } => (fields, files, multipart),
            Payload::Bytes(_) => unreachable!("it was just made a form"),
        }
    }

    /// The body, and its type where that follows of it. A form with files is multipart.
    pub(super) fn into_body(self) -> (Bytes, Option<String>) {
        match self {
            Payload::Bytes(bytes) => (bytes, None),
            Payload::Form { fields, files, multipart } if multipart || !files.is_empty() => encode(&fields, &files),
            Payload::Form { fields, .. } => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(fields);
                (form.finish().into(), Some("application/x-www-form-urlencoded".to_owned()))
            }
        }
    }
}

fn encode(fields: &[(String, String)], files: &[File]) -> (Bytes, Option<String>) {
    let boundary = loop {
        // One that is in nothing that is sent.
        let boundary = format!("dewar-test-{:016x}", fastrand::u64(..));
        let clash = |bytes: &[u8]| memchr::memmem::find(bytes, boundary.as_bytes()).is_some();
        if !fields.iter().any(|(_, value)| clash(value.as_bytes())) && !files.iter().any(|file| clash(&file.bytes)) {
            break boundary;
        }
    };
    let mut body = Vec::new();
    let mut part = |head: String, content: &[u8]| {
        body.extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    };
    for (name, value) in fields {
        part(format!("name=\"{}\"", quoted(name)), value.as_bytes());
    }
    for file in files {
        let (name, filename, content_type) = (quoted(&file.field), quoted(&file.filename), &file.content_type);
        part(format!("name=\"{name}\"; filename=\"{filename}\"\r\nContent-Type: {content_type}"), &file.bytes);
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (body.into(), Some(format!("multipart/form-data; boundary={boundary}")))
}

/// As browsers do it (WHATWG's HTML, multipart/form-data).
fn quoted(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// The type that a file of this name is said to have.
pub(super) fn guessed_type(filename: &str) -> String {
    #[cfg(feature = "static_files")]
    if let Some(guess) = mime_guess::from_path(filename).first_raw() {
        return guess.to_owned();
    }
    let _ = filename;
    "application/octet-stream".to_owned()
}

/// Base64 with padding (RFC 4648 section 4): for `Authorization`, in builds without the crate, too.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            text.push(if i > chunk.len() { '=' } else { digit as char });
        }
    }
    text
}
