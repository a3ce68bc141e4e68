//! Models that read without writing: texts to vectors, pairs to scores.
//!
//! [`CandleEmbedder`] and [`CandleReranker`] are read from Hugging Face folders, or from the program
//! itself. Both tokenise (`tokens`, `tokenizer_file`), sort texts of like length into batches
//! (`batch`), send these through the layers of a family (`encoder`, `families`), a batch at a time
//! and searches first (`turns`), and take one vector from the states of each text (`pooling`).
//! The embedder does with it what the folder's sentence-transformers files say
//! (`sentence_files`); the reranker puts a classification head on it (`head`).
//!
//! BERT's layers are our own. The others are candle-transformers'; what was found wrong with them is
//! said, and worked around, in the file of the family.

mod embedder;
mod reranker;
mod settings;

mod batch;
mod encoder;
mod families;
mod head;
mod pooling;
mod sentence_files;
mod source;
mod tokenizer_file;
mod tokens;
mod turns;

pub use embedder::CandleEmbedder;
pub use reranker::CandleReranker;
pub use settings::{EmbedderSettings, EncoderSettings};
