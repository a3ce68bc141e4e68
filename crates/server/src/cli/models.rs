//! `ibid models`: the model that would answer.

use crate::config::Config;
use crate::startup;

pub(super) fn models(config: &Config) -> anyhow::Result<()> {
    let engine = startup::load_engine(&config.model)?;
    let model = engine.model();
    let origin = match &config.model.path {
        Some(path) => path.display().to_string(),
        None => "built in".to_owned(),
    };
    let yes_or_no = |condition: bool| if condition { "yes" } else { "no" };
    println!("{}", model.name);
    println!("  from                     {origin}");
    println!("  context                  {} tokens", model.context);
    println!(
        "  places sources itself    {}",
        yes_or_no(model.reads_documents)
    );
    println!(
        "  quoting answers better   {}",
        yes_or_no(model.card.quotes_better)
    );
    if let Some(sources) = model.card.max_sources {
        println!("  sources it can follow    {sources}");
    }
    if let Some(tokens) = model.card.max_source_tokens {
        println!("  tokens of a source       {tokens}");
    }
    Ok(())
}
