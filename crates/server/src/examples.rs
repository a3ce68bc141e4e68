//! The documents of `config/examples/`, inside the binary, for a first start without any.

macro_rules! example {
    ($name:literal) => {
        (
            $name,
            include_bytes!(concat!("../../../config/examples/", $name)),
        )
    };
}
/// Name and content of each example document.
pub const EXAMPLES: &[(&str, &[u8])] = &[
    example!("about-ibid.en.md"),
    example!("about-ibid.ko.md"),
    example!("responsible-use.en.md"),
    example!("responsible-use.ko.md"),
    example!("retrieval-augmented-generation.en.md"),
    example!("retrieval-augmented-generation.ko.md"),
    example!("small-models.en.txt"),
    example!("small-models.ko.html"),
    example!("transformer-models.en.md"),
    example!("transformer-models.ko.md"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::EXAMPLES;

    #[test]
    fn every_example_of_the_folder_is_embedded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/examples");
        let on_disk: BTreeSet<_> = fs::read_dir(folder)
            .expect("the folder of examples")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("a plain name")
            })
            .collect();
        let embedded: BTreeSet<_> = EXAMPLES
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        assert_eq!(on_disk, embedded);
    }
}
