//! Signed links and password hashes: what an app needs for "forgot your password?".
//!
//! `cargo run --example tokens --features sessions,passwords`
//!
//! With `--lines` it answers questions, one of JSON per line: `tests/clients/flask_tokens.py` asks them, and compares the
//! answers with those of itsdangerous and Werkzeug.

use std::io::{BufRead, Write};
use std::time::Duration;

use dewar::{
    BadData, Digest, Error, KeyDerivation, Result, Signer, TimestampSigner, URLSafeSerializer, URLSafeTimedSerializer,
    check_password_hash, generate_password_hash, generate_password_hash_with,
};
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3600);

fn main() -> Result<()> {
    if std::env::args().any(|arg| arg == "--lines") {
        return answer_lines();
    }
    let stored = generate_password_hash("correct horse");
    println!("what is stored:      {stored}");
    println!("the right password:  {}", check_password_hash(&stored, "correct horse"));
    println!("another one:         {}", check_password_hash(&stored, "battery staple"));

    let links = URLSafeTimedSerializer::new("long, random, and known to nobody else").with_salt("reset password");
    let token = links.dumps("ada@example.org")?;
    println!("the link in a mail:  /reset/{token}");
    println!("whose it is:         {:?}", links.loads::<String>(&token, HOUR)?);
    match links.loads::<String>(&token.replacen('I', "J", 1), HOUR) {
        Err(BadData::SignatureExpired { .. }) => println!("This link is too old."),
        Err(error) => println!("one that was forged: {error}"),
        Ok(_) => unreachable!("it was forged"),
    }
    Ok(())
}

fn answer_lines() -> Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let question: Value = serde_json::from_str(&line?)?;
        let answer = answer(&question).unwrap_or_else(|error| {
            let name = error.downcast_ref::<BadData>().map_or(error.to_string(), |bad| format!("{bad:?}"));
            json!({ "error": name.split([' ', '(']).next() })
        });
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(question: &Value) -> Result<Value> {
    let text = |key: &str| question[key].as_str().unwrap_or_default();
    let derivation = match text("derivation") {
        "concat" => KeyDerivation::Concat,
        "hmac" => KeyDerivation::Hmac,
        "none" => KeyDerivation::None,
        _ => KeyDerivation::DjangoConcat,
    };
    let digest = match text("digest") {
        "sha256" => Digest::Sha256,
        "sha512" => Digest::Sha512,
        _ => Digest::Sha1,
    };
    let (key, salt, value) = (text("key"), text("salt"), &question["value"]);
    let signer = Signer::new(key).with_salt(salt).with_key_derivation(derivation).with_digest(digest);
    let timed = TimestampSigner::new(key).with_salt(salt).with_key_derivation(derivation).with_digest(digest);
    let tokens = URLSafeSerializer::new(key).with_salt(salt).with_key_derivation(derivation).with_digest(digest);
    let links = URLSafeTimedSerializer::new(key).with_salt(salt).with_key_derivation(derivation).with_digest(digest);
    Ok(match text("do") {
        "sign" => signer.sign(text("value")).into(),
        "unsign" => signer.unsign(text("value"))?.into(),
        "sign timed" => timed.sign(text("value")).into(),
        "unsign timed" => timed.unsign(text("value"), HOUR)?.into(),
        "dumps" => tokens.dumps(value)?.into(),
        "loads" => tokens.loads(text("value"))?,
        "dumps timed" => links.dumps(value)?.into(),
        "loads timed" => links.loads(text("value"), HOUR)?,
        "hash" => generate_password_hash_with(text("value"), text("method"), 16)?.into(),
        "check" => check_password_hash(text("hash"), text("value")).into(),
        other => return Err(Error::msg(format!("{other:?} is no question"))),
    })
}
