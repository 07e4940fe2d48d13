//! Generates secrets of all kinds from a seed.

use fastrand::Rng;

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const HEX: &str = "0123456789abcdef";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const SIGNS: &str = "!@#$%^&*()-_=+[]{};:,.<>/?|~abcdefghijkmnpqrstuvwxyz23456789";
const QUOTES: &str = "\"'`\\abcdefghjkmnpqrstuvwxyz23456789ABCDEFGHJKMNPQRSTUVWXYZ";
const WIDE: &str = "äöüßéèпарольсекрет密码鍵🔑abc789";

fn some(rng: &mut Rng, alphabet: &str, length: usize) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    (0..length).map(|_| alphabet[rng.usize(..alphabet.len())]).collect()
}

/// Returns secrets, one of each kind in turn. Each has a digit, since without one only its place
/// distinguishes it from a word.
pub(crate) fn secrets(rng: &mut Rng, count: usize) -> Vec<String> {
    (0..count).map(|at| secret(rng, at)).collect()
}

fn secret(rng: &mut Rng, sort: usize) -> String {
    let length = rng.usize(10..24);
    match sort % 12 {
        0 => format!("{}7{}", some(rng, LETTERS, length), some(rng, LETTERS, 3)),
        1 => format!("a1{}", some(rng, HEX, 30)),
        2 => format!("q3{}==", some(rng, BASE64, 30)),
        3 => {
            let parts = [8, 4, 4, 4, 12].map(|length| format!("{}{}", rng.usize(..10), some(rng, HEX, length - 1)));
            parts.join("-")
        }
        4 => format!("eyJ{}.{}.{}", some(rng, LETTERS, 20), some(rng, LETTERS, 24), some(rng, LETTERS, 30)),
        5 => format!("sk-proj-{}8b{}", some(rng, LETTERS, 12), some(rng, LETTERS, 12)),
        6 => format!("h7{}k", some(rng, SIGNS, length)),
        7 => format!("m4{}w", some(rng, QUOTES, length)),
        8 => format!("z5{}x", some(rng, WIDE, length)),
        9 => {
            let words: Vec<String> =
                (0..4).map(|_| format!("{}{}", some(rng, "bcdfghjklmnpqrstvwxz", 6), rng.usize(..10))).collect();
            words.join(" ")
        }
        10 => some(rng, "0123456789", 12),
        _ => format!("ghp_{}9c{}", some(rng, LETTERS, 17), some(rng, LETTERS, 17)),
    }
}
