//! Signed tokens: itsdangerous', made and read.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dewar::{BadData, Digest, KeyDerivation, Signer, TimestampSigner, URLSafeSerializer, URLSafeTimedSerializer};
use serde_json::{Value, json};

use crate::support::{Random, panic_message};

/// When the vectors were signed.
fn then() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// What itsdangerous 2.2 makes of `va.lue é` with the key `kéy` and the salt `a salt`.
const SIGNED: &[(KeyDerivation, Digest, &str)] = &[
    (KeyDerivation::DjangoConcat, Digest::Sha1, "va.lue é.BnNRe_WgHq2fz5apKhA3CS4q0So"),
    (KeyDerivation::DjangoConcat, Digest::Sha256, "va.lue é.8beCRMby-oglCNdwg_0bLjL-H6Ay3gWWWWUlJe05Hx0"),
    (
        KeyDerivation::DjangoConcat,
        Digest::Sha512,
        "va.lue é.j8oEyl8IZSDWps2MHt_SjsPRJ7R9NwYF11kRK3LbESAeThuJN7ixjC2UO0pc50FsbCHJ47twbFAW0dc6r0B5Iw",
    ),
    (KeyDerivation::Concat, Digest::Sha1, "va.lue é.w8DIavtVEte-qRXQIc_GdY1rCns"),
    (KeyDerivation::Concat, Digest::Sha256, "va.lue é.E1KU-GuoBSu-dC_RUjK6efArNdr72Vche8WebwiIKGY"),
    (
        KeyDerivation::Concat,
        Digest::Sha512,
        "va.lue é.osvOvMkd53eRaj92taeHl45998IZCidsow9O5z5I_JU0ODrmhZBIfzlL6jbLsijWv_UMLt7SGMDhS7HgMPE3eQ",
    ),
    (KeyDerivation::Hmac, Digest::Sha1, "va.lue é.4FumsnHxruVSxgSpUebq5VhOMuw"),
    (KeyDerivation::Hmac, Digest::Sha256, "va.lue é.Hok9m-kBpZHrqtAkBvfEcBT06-kWKxMvnqk9VSlETNs"),
    (
        KeyDerivation::Hmac,
        Digest::Sha512,
        "va.lue é.lxrhuJO5v15y7gzZ7SdjUcQBplwHdc1pTLHmGX_iKk9TSQLU--TzfpGLrL_vLtqBlfM1HH382qt1NUYN8DJX-A",
    ),
    (KeyDerivation::None, Digest::Sha1, "va.lue é.572HQCSpi9EbKk8JBSlaUB4ermw"),
    (KeyDerivation::None, Digest::Sha256, "va.lue é.thA-RY__FVHJGQjRBp9QzAGlcDAWQ_Jy0gbSeDz1nzc"),
    (
        KeyDerivation::None,
        Digest::Sha512,
        "va.lue é.vfpbkoCfhKGY5G750uyxNKET21FXQPodaog_sSnF6xpuPl1hV059uSwrkc-o-CLtEJvxCeITBkHHFUfXE29ksg",
    ),
];

#[test]
fn what_itsdangerous_signs() {
    for (derivation, digest, signed) in SIGNED {
        let signer = Signer::new("kéy").with_salt("a salt").with_key_derivation(*derivation).with_digest(*digest);
        assert_eq!(signer.sign("va.lue é"), *signed, "{derivation:?} {digest:?}");
        assert_eq!(signer.unsign(signed).unwrap(), "va.lue é");
        let (value, signature) = signed.rsplit_once('.').unwrap();
        assert_eq!(signer.signature(value), signature);
        assert!(signer.verify_signature(value, signature) && !signer.verify_signature("value", signature));
    }
    let signer = Signer::new("dev");
    assert_eq!(signer.sign("value"), "value.GeaFzCFz0sQgb3YC0EDQRqG-a08");
    assert_eq!(signer.clone().with_separator(':').sign("a:b"), "a:b:VP1eCk3F5NHa3PN_TM2vZ5tLwtg");
    assert_eq!(TimestampSigner::new("dev").sign_at("value", then()), "value.ZVPxAA.h6lvGNAMAIJzgIvnXTSXWeBRrjs");
    // The order in which it is set up makes no difference.
    let a = signer.clone().with_fallbacks(["old"]).with_salt("s").with_digest(Digest::Sha256);
    let b = signer.clone().with_digest(Digest::Sha256).with_salt("s").with_fallbacks(["old"]);
    assert_eq!(a.sign("x"), b.sign("x"));
    assert!(a.validate(&Signer::new("old").with_salt("s").with_digest(Digest::Sha256).sign("x")));
    let shown = r#"Signer { salt: "s", key_derivation: DjangoConcat, digest: Sha256, .. }"#;
    assert_eq!(format!("{a:?}"), shown, "and no keys");
    for separator in ['a', 'Z', '0', '-', '_', '='] {
        let text = panic_message(|| Signer::new("dev").with_separator(separator));
        assert!(text.contains("cannot separate"), "{text}");
    }
}

/// A value, and its tokens by itsdangerous 2.2, with the key `dev`: timed, and without a time and with the salt `other`.
const TOKENS: &[(&str, &str, &str)] = &[
    (r#""abc""#, "ImFiYyI.ZVPxAA.LJgXY42-cwNmFRHRCmDKczMyu_o", "ImFiYyI.ezdGVi-fQvfaX-Qx4mxyRrPWJ7g"),
    (r#"42"#, "NDI.ZVPxAA.FF3egKV5uzPcFve6AvCjp5ZEsjg", "NDI.algNUYAGOatsY_M20gtefwFPADk"),
    (r#"null"#, "bnVsbA.ZVPxAA.yCSjdMzMad_lXOUial91mHAKwZg", "bnVsbA.FX8ajh5bN9uCRt8MyWLP-ASwQlo"),
    (
        r#"[1,"é",1.5,1e+16]"#,
        "WzEsIsOpIiwxLjUsMWUrMTZd.ZVPxAA.yNCFterN0awK1fuOdDqldMQr7PA",
        "WzEsIsOpIiwxLjUsMWUrMTZd.h4FLVv7NxGcmjRpz7LH06ONfZK0",
    ),
    (
        r#"{"b":1,"a":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#,
        ".eJyrVkpSsjLUUUpUslKqoANQqgUAyAgyOQ.ZVPxAA.ChCgfVneINvqKmiCGA6PSoZeU2E",
        ".eJyrVkpSsjLUUUpUslKqoANQqgUAyAgyOQ.8k1xNI0cQkuJ3jDFKS-6s3Fb4Fo",
    ),
    (r#""""#, "IiI.ZVPxAA.bcASU1binNSzI4k2LFLyiYl2AaI", "IiI.nmXa1slKEfemrnW196oqHw0xUwY"),
    (r#"{}"#, "e30.ZVPxAA.5KhPCgEaxWjCSQkDyOJInp2y9lA", "e30.lIJGGGgqaCwXjmZx3icJmGQ-z-g"),
    (r#"1e-07"#, "MWUtMDc.ZVPxAA.BGsNuUJugxq53YqwthWZtSN_zuw", "MWUtMDc.7Qu1gPz-83XmosafQyq1AR09VHE"),
    (
        r#"[[1,2],true]"#,
        "W1sxLDJdLHRydWVd.ZVPxAA.nhMGdg9uxAtdOfkIXvfgqZPy88I",
        "W1sxLDJdLHRydWVd.7Em3CirR-by0zEvN4jWAnjXbWyk",
    ),
    (
        r#""ababababab""#,
        "ImFiYWJhYmFiYWIi.ZVPxAA.eDgPYsw5LIe-gBSEsI6HVFTkbb8",
        "ImFiYWJhYmFiYWIi.hqbVwBMi2N2C6pYkG06bwR3SrqM",
    ),
    (
        r#""abcdefghabcdefgh""#,
        "ImFiY2RlZmdoYWJjZGVmZ2gi.ZVPxAA.8GzJsnQ2kdxpQL3SEZlGnoao0gI",
        "ImFiY2RlZmdoYWJjZGVmZ2gi.o2E5g6XyZoDghAGILy1gu6MqMks",
    ),
    (
        r#""aaaaaaaaaaaaa""#,
        ".eJxTSkQGSgAplwUy.ZVPxAA.qw7wvCE-leygx8O3tDtV_72Xkqw",
        ".eJxTSkQGSgAplwUy.vHJXno5XYJMV98VyO5rBdcp25J0",
    ),
    (
        r#""aaaaaaaaaaaaaaaaa""#,
        ".eJxTSkQHSgBDJQa2.ZVPxAA.0MsoEgiMLuXSW1Lmt5fbnbZDwbg",
        ".eJxTSkQHSgBDJQa2.JmqKoWQJFxsmuH_MAtpHESbKXdQ",
    ),
    (
        r#""aaaaaaaaaaaaaaaaaa""#,
        ".eJxTSsQASgBKewcX.ZVPxAA.QAtooUAlp_9mZmCJYlFEf_cGnuA",
        ".eJxTSsQASgBKewcX.Qxa2jk0jRt4ijcINB1xEaQKix9g",
    ),
    (
        r#""aaaaaaaaaaaaaaaaaaa""#,
        ".eJxTSsQESgBSMgd4.ZVPxAA.DG39gnr6JELbpA7U3JWz6DJw3sw",
        ".eJxTSsQESgBSMgd4.HzD3LRhRv7J2X6vH4CQejA3AmrA",
    ),
    (
        r#""aaaaaaaaaaaaaaaaaaaa""#,
        ".eJxTSsQClABaSgfZ.ZVPxAA.eM5h-PJQZS-TZHU0dHc8QMA5cPs",
        ".eJxTSsQClABaSgfZ.6bjBE7fPzapuGA5D95nrAIV0TNA",
    ),
    (
        r#""aaaaaaaaaaaaaaaaaaaaa""#,
        ".eJxTSsQGlABiwwg6.ZVPxAA._XH_zVML90tO0G-imTuTNGISOT0",
        ".eJxTSsQGlABiwwg6.d_anIlQ3OZ0K4xZ0kiZl_v7qDNM",
    ),
];

#[test]
fn what_itsdangerous_serializes() {
    let timed = URLSafeTimedSerializer::new("dev");
    let plain = URLSafeSerializer::new("dev").with_salt("other");
    for (json, with_time, without) in TOKENS {
        let value: Value = serde_json::from_str(json).unwrap();
        // Objects of serde_json are sorted; the order of these keys is another.
        if !json.starts_with("{\"b\"") {
            assert_eq!(timed.dumps_at(&value, then()).unwrap(), *with_time, "{json}");
            assert_eq!(plain.dumps(&value).unwrap(), *without, "{json}");
        }
        let (read, at) = timed.loads_at::<Value>(with_time, None, then()).unwrap();
        assert_eq!((read, at), (value.clone(), then()));
        assert_eq!(plain.loads::<Value>(without).unwrap(), value);
        // A token of the one kind is none of the other.
        assert!(matches!(plain.loads::<Value>(with_time), Err(BadData::BadSignature)));
        assert!(matches!(timed.loads::<Value>(without, None), Err(BadData::BadSignature)));
    }
    let odd = "😀\u{7f}\u{2028}/<>";
    assert_eq!(timed.dumps_at(odd, then()).unwrap(), "IvCfmIB_4oCoLzw-Ig.ZVPxAA.bF-NXpy2BERuz1H2Hon7Ix19ATc");
    assert_eq!(plain.dumps(odd).unwrap(), "IvCfmIB_4oCoLzw-Ig.MmCZ-_zEdSH-IZFflyewckAFXYY");

    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    struct Row {
        b: u8,
        a: String,
    }
    let row = Row { b: 1, a: "x".repeat(100) };
    let (_, token, other) = TOKENS.iter().find(|(json, ..)| json.starts_with("{\"b\"")).unwrap();
    assert_eq!(timed.dumps_at(&row, then()).unwrap(), *token, "fields keep their order, and long ones are packed");
    assert_eq!(plain.loads::<Row>(other).unwrap(), row);
    assert_eq!(plain.loads::<f32>(&plain.dumps(&0.1_f32).unwrap()).unwrap(), 0.1);
    assert!(format!("{timed:?} {plain:?}").contains("itsdangerous"), "{timed:?} {plain:?}");
}

#[test]
fn flask_wtfs_token() {
    let token = "ImFiYyI.ZVPxAA.jREktOCjcD-pmj2_bAXZkNfBymI";
    let serializer = URLSafeTimedSerializer::new("dev").with_salt("wtf-csrf-token");
    assert_eq!(serializer.dumps_at("abc", then()).unwrap(), token);
    let hour = Duration::from_secs(3600);
    assert_eq!(serializer.loads_at::<String>(token, hour, then() + hour).unwrap().0, "abc");
    let late = serializer.loads_at::<String>(token, hour, then() + hour + Duration::from_secs(1)).unwrap_err();
    assert_eq!(late.date_signed(), Some(then()));
    assert_eq!(late.to_string(), "it was signed 3601 seconds ago, which is too long");
}

#[test]
fn keys_of_before() {
    let old = "eyJhIjoxfQ.ZVPxAA.ktpRkPoWZfDPbSlCy1P6GzjGxKM";
    let new = "eyJhIjoxfQ.ZVPxAA.6I-pdheTEqjhFHb_23o7X4xDAo4";
    let serializer = URLSafeTimedSerializer::new("new").with_salt("s").with_fallbacks(["older", "old"]);
    let value = BTreeMap::from([("a".to_owned(), 1)]);
    for token in [old, new] {
        assert_eq!(serializer.loads::<BTreeMap<String, i32>>(token, None).unwrap(), value);
    }
    assert_eq!(serializer.dumps_at(&value, then()).unwrap(), new);
    let alone = URLSafeTimedSerializer::new("new").with_salt("s");
    assert!(matches!(alone.loads::<Value>(old, None), Err(BadData::BadSignature)));
    let strong = alone.with_digest(Digest::Sha512).with_key_derivation(KeyDerivation::Hmac);
    assert_eq!(
        strong.dumps_at(&value, then()).unwrap(),
        "eyJhIjoxfQ.ZVPxAA.f8YmTWWRnv1GxQV1h1KbpYERtmE1MgwGTFfGx_4ckqJ5EC4D2JVD4UE25ZjtXqRUjS1Y1PC1vMEPCx6k1osMew"
    );
}

#[test]
fn why_a_token_is_not_read() {
    let serializer = URLSafeTimedSerializer::new("dev");
    let read = |token: &str, now: SystemTime| serializer.loads_at::<String>(token, Duration::from_secs(60), now);
    // Most of them are signed with the key, by itsdangerous.
    for (token, why) in [
        ("*.ZVPxAA.WR044JJPkGLkDcFmB4KhQQKwCEg", "BadPayload(Base64)"),
        ("ImFi.ZVPxAA.Z8myEqt3u9dhWE03jfXksY0twVA", "BadPayload(Error(\"EOF while parsing a string\""),
        (".ImFiYyI.ZVPxAA.LpgUTsY4HEISKmAZAR31YdjiaC4", "BadPayload(Zlib)"),
        ("ImFiYyI.*.-Uyi6TWabLv_HBgG4kCdwJKGkNo", "BadTimeSignature"),
        ("ImFiYyI.ZnYSX13BPeJi39o6hhjLQcUpdss", "BadTimeSignature"),
        ("ImFiYyI.__________8AAA.GU5VctbaawvNw4wDeFCSJSHSkVE", "BadTimeSignature"),
        ("NDI.ZVPxAA.FF3egKV5uzPcFve6AvCjp5ZEsjg", "BadPayload(Error(\"invalid type: integer `42`"),
        ("ImFiYyI.ZVPxAA.LJgXY42-cwNmFRHRCmDKczMyu_p", "BadSignature"),
        ("ImFiYyI.ZVPxAA.", "BadSignature"),
        ("", "BadSignature"),
        ("ö.ö.ö", "BadSignature"),
    ] {
        let error = read(token, then()).unwrap_err();
        assert!(format!("{error:?}").starts_with(why), "{token}: {error:?}");
        assert!(!error.to_string().is_empty());
    }
    let future = read("ImFiYyI.f_________8.h8evRrEabjxhHFf4FpbclcNIHaQ", then()).unwrap_err();
    assert!(matches!(future, BadData::SignatureExpired { age: None, .. }), "{future:?}");
    assert_eq!(future.to_string(), "it was signed in the future");

    let signer = TimestampSigner::new("dev");
    let signed = signer.sign_at("x", then());
    let second = Duration::from_secs(1);
    for (now, fine) in
        [(then(), true), (then() + 60 * second, true), (then() + 61 * second, false), (then() - second, false)]
    {
        assert_eq!(signer.unsign_at(&signed, 60 * second, now).is_ok(), fine, "{now:?}");
        assert_eq!(signer.unsign_at(&signed, None, now).unwrap(), ("x", then()));
    }
    assert!(signer.validate(&signer.sign("x"), 60 * second));
    assert!(!signer.validate(&signed, 60 * second));
    // Before 1970 there is no time, and at its beginning it has no bytes.
    assert!(signer.sign_at("x", UNIX_EPOCH - 5 * second).starts_with("x.."));
}

#[test]
fn a_bomb_is_not_unpacked() {
    let serializer = URLSafeSerializer::new("dev");
    let bomb = serializer.dumps(&"x".repeat((1 << 20) + 1)).unwrap();
    assert!(bomb.len() < 2000, "{}", bomb.len());
    let error = serializer.loads::<String>(&bomb).unwrap_err();
    assert!(error.to_string().contains("more than 1 MiB"), "{error}");
    let fine = serializer.dumps(&"x".repeat((1 << 20) - 2)).unwrap();
    assert_eq!(serializer.loads::<String>(&fine).unwrap().len(), (1 << 20) - 2);
}

#[test]
fn random_values_come_back_and_broken_tokens_do_not() {
    let alphabet: Vec<char> = "aab.-_\"\\é😀\u{7f}\n {}".chars().collect();
    let mut random = Random(7);
    let serializer = URLSafeTimedSerializer::new("dev");
    for _ in 0..300 {
        let text = random.text(&alphabet, 60);
        let value = json!([text, random.next(), { "k": random.text(&alphabet, 5) }]);
        let token = serializer.dumps(&value).unwrap();
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{token}");
        assert_eq!(serializer.loads::<Value>(&token, Duration::from_secs(600)).unwrap(), value);

        let cut = &token[..random.below(token.len())];
        assert!(matches!(serializer.loads::<Value>(cut, None), Err(BadData::BadSignature)), "{cut}");
        let mut bytes = token.clone().into_bytes();
        let at = random.below(bytes.len());
        bytes[at] = b"Ab0_-.~"[random.below(7)];
        let broken = String::from_utf8(bytes).unwrap();
        let read = serializer.loads::<Value>(&broken, None);
        assert_eq!(read.is_ok(), broken == token, "{broken}");
    }
}
