//! Where in a text a secret may begin: by three bytes, which three tables know.

use super::key_prefixes::KEY_PREFIXES;

/// Returns the next index from `at` on where [`secret_at`](super::secret_shapes::secret_at) has to look, rules of the user's aside. Most
/// bytes are none, and those take a few instructions each.
pub(super) fn next_candidate(bytes: &[u8], at: usize) -> usize {
    let mut rest = bytes[at..].iter();
    let Some(first) = rest.next() else { return bytes.len() };
    let mut groups = GROUPS.firsts[usize::from(*first)];
    while let Some(second) = rest.next() {
        let second = usize::from(*second);
        if groups & GROUPS.seconds[second] != 0 {
            let here = bytes.len() - rest.len() - 2;
            if is_candidate(bytes, here, groups & GROUPS.seconds[second]) {
                return here;
            }
        }
        groups = GROUPS.firsts[second];
    }
    // Nothing begins with the last byte: a sign has nothing after it there.
    bytes.len()
}

/// Returns whether what begins at `at` is one of `groups` by its third byte and the one before it, too.
fn is_candidate(bytes: &[u8], at: usize, groups: u32) -> bool {
    let third = bytes.get(at + 2).map_or(SIGN, |third| GROUPS.thirds[usize::from(*third)]);
    let is_in_word = at.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_alphanumeric());
    groups & third & if is_in_word { SIGNS } else { u32::MAX } != 0
}

/// Beginnings of secrets by their first three bytes, in groups with the same first two, a bit each: for
/// each byte the groups that it may be the first, the second and the third of.
struct BeginningGroups {
    firsts: [u32; 256],
    seconds: [u32; 256],
    thirds: [u32; 256],
}

/// A colon or an equals sign, whatever comes after it.
const SIGN: u32 = 1;
/// The dashes of a private key.
const DASHES: u32 = 2;
/// These may stand behind a letter or a digit.
const SIGNS: u32 = SIGN | DASHES;

/// Beginnings of tokens that are known besides those in [`KEY_PREFIXES`].
const OTHERS: [&[u8; 3]; 11] = [b"AKI", b"ASI", b"eyJ", b"bea", b"beA", b"bEa", b"bEA", b"Bea", b"BeA", b"BEa", b"BEA"];

static GROUPS: BeginningGroups = {
    let mut groups = BeginningGroups { firsts: [0; 256], seconds: [SIGN; 256], thirds: [SIGN; 256] };
    groups.firsts[b':' as usize] = SIGN;
    groups.firsts[b'=' as usize] = SIGN;
    groups.firsts[b'-' as usize] = DASHES;
    groups.seconds[b'-' as usize] = SIGNS;
    groups.thirds[b'-' as usize] = SIGNS;
    let mut pairs = [[0; 2]; u32::BITS as usize];
    // The lowest bits are the signs'.
    let (mut known, mut at) = (2, 0);
    while at < KEY_PREFIXES.len() + OTHERS.len() {
        let beginning =
            if at < KEY_PREFIXES.len() { KEY_PREFIXES[at].0.as_bytes() } else { OTHERS[at - KEY_PREFIXES.len()] };
        let (first, second, third) = (beginning[0], beginning[1], beginning[2]);
        let mut group = 2;
        while group < known && (pairs[group][0] != first || pairs[group][1] != second) {
            group += 1;
        }
        if group == known {
            assert!(known < pairs.len(), "one bit a group: give `BeginningGroups` longer numbers");
            pairs[group] = [first, second];
            known += 1;
        }
        groups.firsts[first as usize] |= 1 << group;
        groups.seconds[second as usize] |= 1 << group;
        groups.thirds[third as usize] |= 1 << group;
        at += 1;
    }
    groups
};
