//! The choice of an embedder on the command line.

use clap::{Args, ValueEnum};

use super::{EmbedError, Embedder, Embeddings, HashingEmbedder, Limits, Retries, Similarity};

/// A kind of embedder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Hash words and parts of words: needs no model, and knows no synonyms
    Hashing,
    /// Ask a service with the customary HTTP interface (a build with the feature remote-embedder)
    Openai,
    /// Run the model all-MiniLM-L6-v2 on the processor (a build with the feature minilm)
    Minilm,
}

/// The options that choose an embedder. Documents and questions need the same one.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Embedder")]
pub struct EmbedderOptions {
    /// Maker of the vectors; documents and questions need the same one
    #[arg(long, value_enum, default_value = "hashing")]
    pub embedder: Kind,
    /// Options of a service.
    #[cfg(feature = "remote-embedder")]
    #[command(flatten)]
    pub service: service::ServiceOptions,
    /// Folder of the model, with config.json, tokenizer.json and model.safetensors
    #[cfg(feature = "minilm")]
    #[arg(long = "model", value_name = "FOLDER", required_if_eq("embedder", "minilm"))]
    pub model_folder: Option<std::path::PathBuf>,
}

impl EmbedderOptions {
    /// Makes the embedder: reads its model, or asks its service for the length of the vectors.
    pub async fn embedder(&self) -> Result<AnyEmbedder, EmbedError> {
        match self.embedder {
            Kind::Hashing => Ok(AnyEmbedder::Hashing(HashingEmbedder::default())),
            #[cfg(feature = "remote-embedder")]
            Kind::Openai => {
                let settings = self.service.settings()?;
                Ok(AnyEmbedder::Remote(super::RemoteEmbedder::connect(settings).await?.into()))
            }
            #[cfg(not(feature = "remote-embedder"))]
            Kind::Openai => Err(missing("openai", "remote-embedder")),
            #[cfg(feature = "minilm")]
            Kind::Minilm => {
                let folder = self.model_folder.clone().unwrap_or_default();
                let model = crate::blocking::run(move || super::MiniLm::load(&folder)).await?;
                Ok(AnyEmbedder::MiniLm(model.into()))
            }
            #[cfg(not(feature = "minilm"))]
            Kind::Minilm => Err(missing("minilm", "minilm")),
        }
    }
}

#[cfg(not(all(feature = "remote-embedder", feature = "minilm")))]
fn missing(embedder: &str, feature: &str) -> EmbedError {
    EmbedError::new(format!("this build has no embedder {embedder}; build it with `--features {feature}`"))
}

#[cfg(feature = "remote-embedder")]
pub(crate) mod service {
    use std::time::Duration;

    use clap::Args;

    use crate::embed::{ApiKey, EmbedError, Limits, RemoteSettings};

    /// The options of a service.
    #[derive(Debug, Clone, Args)]
    #[expect(clippy::struct_field_names, reason = "the options' names, beside those of a program")]
    pub struct ServiceOptions {
        /// Address of the service; its path ends before /embeddings
        #[arg(long, value_name = "URL", default_value = "https://api.openai.com/v1")]
        pub embedder_url: String,
        /// Name of the service's model
        #[arg(long, value_name = "NAME", default_value = "text-embedding-3-small")]
        pub embedder_model: String,
        /// Environment variable that holds the key; no key is sent if it is not set
        #[arg(long, value_name = "VARIABLE", default_value = "OPENAI_API_KEY")]
        pub embedder_key_variable: String,
        /// Length of the vectors to ask for [default: the model's own]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
        pub embedder_dimensions: Option<u16>,
        /// Largest number of tokens in a text that the model takes
        #[arg(long, value_name = "N", default_value_t = 8_192, value_parser = clap::value_parser!(u32).range(1..))]
        pub embedder_max_tokens: u32,
        /// Largest number of texts in a request
        #[arg(long, value_name = "N", default_value_t = 2_048, value_parser = clap::value_parser!(u32).range(1..))]
        pub embedder_batch: u32,
        /// Price of a million tokens in US dollars, for the stage logs
        #[arg(long, value_name = "USD", default_value_t = 0.0)]
        pub embedder_price: f64,
        /// Longest time for a request in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3_600))]
        pub embedder_timeout: u32,
    }

    impl ServiceOptions {
        pub(crate) fn settings(&self) -> Result<RemoteSettings, EmbedError> {
            let usual = RemoteSettings::new(&self.embedder_url, &self.embedder_model);
            let most = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
            Ok(RemoteSettings {
                key: ApiKey::from_variable(&self.embedder_key_variable)?,
                dimensions: self.embedder_dimensions.map(usize::from),
                limits: Limits {
                    texts: most(self.embedder_batch),
                    text_tokens: most(self.embedder_max_tokens),
                    ..usual.limits
                },
                price: self.embedder_price,
                timeout: Duration::from_secs(self.embedder_timeout.into()),
                ..usual
            })
        }
    }
}

/// One of the embedders that this build has.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum AnyEmbedder {
    /// Hashing of words.
    Hashing(HashingEmbedder),
    /// A service.
    #[cfg(feature = "remote-embedder")]
    Remote(std::sync::Arc<super::RemoteEmbedder>),
    /// A model that runs here.
    #[cfg(feature = "minilm")]
    MiniLm(std::sync::Arc<super::MiniLm>),
}

/// Calls a method of whichever embedder it is.
macro_rules! each {
    ($any:expr, $embedder:ident => $call:expr) => {
        match $any {
            AnyEmbedder::Hashing($embedder) => $call,
            #[cfg(feature = "remote-embedder")]
            AnyEmbedder::Remote($embedder) => $call,
            #[cfg(feature = "minilm")]
            AnyEmbedder::MiniLm($embedder) => $call,
        }
    };
}

impl Embedder for AnyEmbedder {
    fn model(&self) -> &str {
        each!(self, embedder => embedder.model())
    }

    fn dimensions(&self) -> usize {
        each!(self, embedder => embedder.dimensions())
    }

    fn limits(&self) -> Limits {
        each!(self, embedder => embedder.limits())
    }

    fn count_tokens(&self, text: &str) -> usize {
        each!(self, embedder => embedder.count_tokens(text))
    }

    fn retries(&self) -> Retries {
        each!(self, embedder => embedder.retries())
    }

    fn similarity(&self) -> Similarity {
        each!(self, embedder => embedder.similarity())
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Embeddings, EmbedError> {
        each!(self, embedder => embedder.embed(texts).await)
    }
}
