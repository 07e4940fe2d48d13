//! How the keys of model providers, clouds and services begin.

/// Beginnings of keys, and how many bytes such a word has at least.
pub(super) const KEY_PREFIXES: &[(&str, usize)] = &[
    // model providers and what goes with them
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
    // clouds and services
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
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xoxa-", 20),
    ("xoxs-", 20),
    ("xapp-", 20),
    ("npm_", 30),
    ("pypi-", 30),
    ("SG.", 30),
    ("dop_v1_", 30),
];
