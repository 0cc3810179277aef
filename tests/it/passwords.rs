//! Password hashes: Werkzeug's, made and read.

use dewar::{check_password_hash, generate_password_hash, generate_password_hash_with};

/// Werkzeug 3.1.8's hashes of `pässword 1` with the salt `säl.t`.
const HASHES: &[&str] = &[
    "scrypt:128:8:1$säl.t$13dddc583f48e0b9cd3aabdb3c6b0542529f5c5df23f73f65d1fc9714aa703142708622e15bc98bf3e27166375454de8efad263003d7b13f896324d92c32180b",
    "scrypt:64:1:3$säl.t$4d1929df3d61c17b6b7ec4180f1cd61994cde1bf9f5348dd9ff7b714422039eb2750d5c0b9bef8269c82721baa4f7430771c7f61f50b0e01e8412513cc58cd11",
    "scrypt:1024:8:2$säl.t$98315774019f4b1ebd7797fc4b2cea10417340eef63de9400806013f808d8617ecc9f01601ae96ab513897a53a37e01836281d5b05e025a59ecc3a10a0609440",
    "pbkdf2:sha256:10$säl.t$d20d1912502d0eedda19e91f842d6c27f1f8f52e9663e7fe79d24d7ca119e4ba",
    "pbkdf2:sha1:3$säl.t$26bb111a70b164be74f51bd1c8575cdfccfbc076",
    "pbkdf2:sha512:2$säl.t$8b7b913faeb120680453ac94726b569e0bfcd1a2406b77a766cf39f61e732f2c7656e25ff8c051812916b9e0e69ee61b75e3f83b74a389f2f3d4bc2490ce41a1",
    "pbkdf2:sha224:1$säl.t$248e59a328d9eb3a040157128d3d4e4be8b700c5c1f8a1ba3fec6c69",
    "pbkdf2:sha384:2$säl.t$24432dd61eaf6d2dcf96b3f3ce1c0b372fda68295f2b6a642ff53770a0fdc009d7a36bdebc8888588bc1fb08e06b8c24",
];

#[test]
fn werkzeugs_hashes() {
    for hash in HASHES {
        assert!(check_password_hash(hash, "pässword 1"), "{hash}");
        assert!(!check_password_hash(hash, "password 1"), "{hash}");
        assert!(!check_password_hash(&hash[..hash.len() - 1], "pässword 1"), "{hash}");
        assert!(!check_password_hash(&hash.replace("säl.t", "salt"), "pässword 1"), "{hash}");
    }
    assert!(check_password_hash(
        "scrypt:32768:8:1$abcdefgh$69a5d9a83e2c6340409e05ba34452b2225698c604e233891760957c1d2f1a4f22ef1f0f058f3095327effbaf8a491041aaadebf30958c3fa561ce470de05b464",
        "secret"
    ));
}

#[test]
fn hashes_of_our_own() {
    for method in ["scrypt:128:8:1", "pbkdf2:sha256:10", "pbkdf2:sha1:2", "pbkdf2:sha512:2"] {
        let hash = generate_password_hash_with("a $ecret", method, 20).unwrap();
        let (head, _) = hash.rsplit_once('$').unwrap();
        let salt = head.strip_prefix(method).unwrap().strip_prefix('$').unwrap();
        assert!(salt.len() == 20 && salt.bytes().all(|b| b.is_ascii_alphanumeric()), "{hash}");
        assert!(check_password_hash(&hash, "a $ecret") && !check_password_hash(&hash, "a secret"));
        assert_ne!(hash, generate_password_hash_with("a $ecret", method, 20).unwrap(), "each has its own salt");
    }
    let hash = generate_password_hash("");
    assert!(hash.starts_with("scrypt:32768:8:1$"), "{hash}");
    assert_eq!(hash.split('$').map(str::len).collect::<Vec<_>>(), [16, 16, 128]);
}

#[test]
fn what_is_no_hash_is_nobodys() {
    let hex = "00".repeat(64);
    for method in [
        "scrypt:32768:8",
        "scrypt:32768:8:1:1",
        "scrypt:",
        "scrypt:3:8:1",
        "scrypt:0:8:1",
        "scrypt:1:8:1",
        "scrypt:16:0:1",
        "scrypt:16:8:0",
        "scrypt:-16:8:1",
        "scrypt:ten:8:1",
        "scrypt:1073741824:8:1",
        "scrypt:9223372036854775808:4294967295:4294967295",
        "scrypt:32768:8:4294967295",
        "scrypt:4:4194304:1",
        // A gigabyte for `p` alone.
        "scrypt:2:1:8388608",
        "scrypt:2:2097152:4",
        "pbkdf2:md5:1",
        "pbkdf2:sha256:0",
        "pbkdf2:sha256:4294967295",
        "pbkdf2:sha256:99999999999999999999",
        "pbkdf2:sha256:1:1",
        "pbkdf2:SHA256:1",
        "sha256",
        "plain",
        "",
        "ö",
    ] {
        assert!(!check_password_hash(&format!("{method}$salt${hex}"), "secret"), "{method}");
        assert!(generate_password_hash_with("secret", method, 8).is_err(), "{method}");
    }
    for hash in ["", "$", "$$", "scrypt", "scrypt:128:8:1$salt", "scrypt:128:8:1$salt$", "pbkdf2:sha256:1$$zz"] {
        assert!(!check_password_hash(hash, "secret"), "{hash}");
    }
    let error = generate_password_hash_with("secret", "md5", 8).unwrap_err();
    assert_eq!(error.at().file(), file!());
    assert!(error.to_string().contains("\"scrypt:n:r:p\""), "{error}");
    let error = generate_password_hash_with("secret", "scrypt", 0).unwrap_err();
    assert!(error.to_string().contains("one character at least"), "{error}");
}
