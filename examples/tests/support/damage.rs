//! Damages files as disks, networks and careless programs do.

use fastrand::Rng;

/// Returns `bytes` with one to four faults, which only depend on the random numbers.
pub(crate) fn damaged(bytes: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.usize(1..=4) {
        damage(&mut bytes, random);
    }
    bytes
}

fn damage(bytes: &mut Vec<u8>, random: &mut Rng) {
    if bytes.is_empty() {
        return;
    }
    match random.u8(0..8) {
        0 => flip_bits(bytes, random),
        1 => bytes.truncate(random.usize(..bytes.len())),
        2 => drop(bytes.drain(part(bytes, random))),
        3 => {
            let part = part(bytes, random);
            let copy = bytes[part.clone()].repeat(random.usize(1..=8));
            bytes.splice(part.end..part.end, copy);
        }
        4 => {
            let (from, to) = (part(bytes, random), random.usize(..bytes.len()));
            let moved: Vec<u8> = bytes.drain(from).collect();
            let to = to.min(bytes.len());
            bytes.splice(to..to, moved);
        }
        5 => {
            let at = random.usize(..=bytes.len());
            let noise: Vec<u8> = (0..random.usize(1..=64)).map(|_| random.u8(..)).collect();
            bytes.splice(at..at, noise);
        }
        6 => {
            let part = part(bytes, random);
            bytes[part].fill(random.choice([0, b' ', b'<', b'(', 0xff]).expect("one of them"));
        }
        _ => change_number(bytes, random),
    }
}

fn flip_bits(bytes: &mut [u8], random: &mut Rng) {
    for _ in 0..random.usize(1..=16) {
        let at = random.usize(..bytes.len());
        bytes[at] ^= 1 << random.u8(..8);
    }
}

/// Returns the place of at most a tenth of the bytes.
fn part(bytes: &[u8], random: &mut Rng) -> std::ops::Range<usize> {
    let start = random.usize(..bytes.len());
    let length = random.usize(1..=(bytes.len() / 10).max(1));
    start..(start + length).min(bytes.len())
}

/// Changes a number that is written in digits, such as a length or an offset, if there is one.
fn change_number(bytes: &mut Vec<u8>, random: &mut Rng) {
    let from = random.usize(..bytes.len());
    let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit).map(|at| from + at) else { return };
    let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = random.choice(["0", "-1", "1", "7", "65536", "2147483648", "4294967295", "99999999999999999999"]);
    bytes.splice(start..start + length, number.expect("one of them").bytes());
}
