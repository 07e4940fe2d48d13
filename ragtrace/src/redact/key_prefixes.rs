//! The prefixes of the keys of model providers, clouds and services.

/// Prefixes of keys, each with the least length of such a key in bytes.
pub(super) const KEY_PREFIXES: &[(&str, usize)] = &[
    // Model providers and related services.
    ("sk-", 20),
    ("sk_", 20),
    ("hf_", 20),
    ("gsk_", 20),
    ("pplx-", 20),
    ("lsv2_", 20),
    ("nvapi-", 20),
    ("xai-", 20),
    ("r8_", 20),
    ("pcsk_", 20),
    ("jina_", 20),
    ("tvly-", 20),
    ("tgp_v1_", 20),
    ("fw_", 20),
    // Clouds and other services.
    ("AIza", 35),
    ("ya29.", 20),
    ("rk_live_", 20),
    ("whsec_", 20),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 20),
    ("glrt-", 20),
    ("glcbt-", 20),
    ("ATATT3", 40),
    ("dapi", 36),
    ("hvb.", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xoxa-", 20),
    ("xoxs-", 20),
    ("xapp-", 20),
    ("npm_", 30),
    ("pypi-", 30),
    ("SG.", 30),
    ("dop_v1_", 30),
    ("glsa_", 20),
    ("gldt-", 20),
    ("GOCSPX-", 20),
    ("hvs.", 20),
    ("dckr_pat_", 20),
    ("shpat_", 20),
    ("shpss_", 20),
    ("sntrys_", 20),
    ("NRAK-", 20),
    ("PMAK-", 20),
    ("xkeysib-", 20),
    ("sbp_", 20),
    ("AGE-SECRET-KEY-", 30),
];

/// The prefixes by their first three bytes: each byte has a bit for each prefix that it may be the
/// first, second and third byte of.
static BY_BYTES: [[u64; 256]; 3] = {
    assert!(KEY_PREFIXES.len() <= u64::BITS as usize, "one bit a prefix");
    let mut by_bytes = [[0; 256]; 3];
    let mut at = 0;
    while at < KEY_PREFIXES.len() {
        let prefix = KEY_PREFIXES[at].0.as_bytes();
        let mut place = 0;
        while place < 3 {
            by_bytes[place][prefix[place] as usize] |= 1 << at;
            place += 1;
        }
        at += 1;
    }
    by_bytes
};

/// Returns the prefix that the bytes begin with, and the least length of such a key.
pub(super) fn key_prefix(bytes: &[u8]) -> Option<&'static (&'static str, usize)> {
    let [first, second, third] = bytes.first_chunk()?;
    let place = |place: usize, byte: &u8| BY_BYTES[place][usize::from(*byte)];
    let mut left = place(0, first) & place(1, second) & place(2, third);
    while left != 0 {
        let prefix = &KEY_PREFIXES[left.trailing_zeros() as usize];
        if bytes.starts_with(prefix.0.as_bytes()) {
            return Some(prefix);
        }
        left &= left - 1;
    }
    None
}
