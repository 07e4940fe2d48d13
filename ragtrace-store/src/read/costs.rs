//! Costs and tokens by tenant and model.

use crate::object::Object;

/// The cost and the tokens of one tenant's runs of stages with one model.
///
/// They come from the end records of stages that declare `cost_usd` or numbers of tokens, so only
/// records that a level, sampling and retention left are counted. Stages that enclose others
/// do not repeat their costs.
#[derive(Clone, Debug, PartialEq)]
pub struct CostRow {
    tenant_id: Option<String>,
    model: Option<String>,
    provider: Option<String>,
    runs: u64,
    input_tokens: u64,
    output_tokens: u64,
    cached_tokens: u64,
    cost_usd: f64,
}

/// A row of sums, the same for every backend.
pub(crate) struct CostColumns {
    pub(crate) tenant_id: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) runs: i64,
    pub(crate) input_tokens: f64,
    pub(crate) output_tokens: f64,
    pub(crate) cached_tokens: f64,
    pub(crate) cost_usd: f64,
}

impl From<CostColumns> for CostRow {
    fn from(row: CostColumns) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates, and is a count")]
        let count = |sum: f64| sum as u64;
        Self {
            tenant_id: row.tenant_id,
            model: row.model,
            provider: row.provider,
            runs: row.runs.unsigned_abs(),
            input_tokens: count(row.input_tokens),
            output_tokens: count(row.output_tokens),
            cached_tokens: count(row.cached_tokens),
            cost_usd: row.cost_usd,
        }
    }
}

/// Returns the rows with the most expensive first, then those with the most tokens.
pub(crate) fn by_cost(rows: Vec<CostColumns>) -> Vec<CostRow> {
    let mut rows: Vec<CostRow> = rows.into_iter().map(CostRow::from).collect();
    let names = |row: &CostRow| (row.tenant_id.clone(), row.model.clone(), row.provider.clone());
    rows.sort_by(|one, other| {
        let tokens = |row: &CostRow| row.input_tokens.saturating_add(row.output_tokens);
        let cost = other.cost_usd.total_cmp(&one.cost_usd);
        cost.then_with(|| tokens(other).cmp(&tokens(one))).then_with(|| names(one).cmp(&names(other)))
    });
    rows
}

impl CostRow {
    /// Returns the tenant's id, or `None` for runs without a tenant.
    pub fn tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_deref()
    }

    /// Returns the model, or `None` if the stages did not record one.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Returns the provider of the model, or `None` if the stages did not record one.
    pub fn provider(&self) -> Option<&str> {
        self.provider.as_deref()
    }

    /// Returns the number of runs that recorded a cost or tokens.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Returns the number of tokens sent to the model, including those from its cache.
    pub fn input_tokens(&self) -> u64 {
        self.input_tokens
    }

    /// Returns the number of tokens that the model wrote.
    pub fn output_tokens(&self) -> u64 {
        self.output_tokens
    }

    /// Returns the number of input tokens that the model read from its cache.
    pub fn cached_tokens(&self) -> u64 {
        self.cached_tokens
    }

    /// Returns the cost in US dollars.
    pub fn cost_usd(&self) -> f64 {
        self.cost_usd
    }

    /// Returns the row as one JSON object: `{tenant_id, model, provider, runs, input_tokens,
    /// output_tokens, cached_tokens, cost_usd}`.
    pub fn to_json(&self) -> String {
        Object::new()
            .with("tenant_id", self.tenant_id.as_deref())
            .with("model", self.model.as_deref())
            .with("provider", self.provider.as_deref())
            .with("runs", self.runs)
            .with("input_tokens", self.input_tokens)
            .with("output_tokens", self.output_tokens)
            .with("cached_tokens", self.cached_tokens)
            .with("cost_usd", self.cost_usd)
            .close()
    }
}
