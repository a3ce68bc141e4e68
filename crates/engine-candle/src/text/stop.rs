//! Strings before which an answer ends.

/// The stop strings of one request.
pub(crate) struct StopStrings(Vec<String>);

impl StopStrings {
    /// None of the strings may be empty.
    pub(crate) fn new(strings: Vec<String>) -> Self {
        Self(strings)
    }

    /// Where the first of them begins.
    pub(crate) fn find(&self, text: &str) -> Option<usize> {
        self.0
            .iter()
            .filter_map(|stop| text.find(stop.as_str()))
            .min()
    }

    /// How many bytes at the end of the text may be the beginning of one of them.
    pub(crate) fn beginning(&self, text: &str) -> usize {
        let longest = |stop: &String| {
            let boundaries = stop.char_indices().map(|(at, _)| at).rev();
            boundaries
                .filter(|&at| text.ends_with(&stop[..at]))
                .max()
                .unwrap_or(0)
        };
        self.0.iter().map(longest).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::StopStrings;

    #[test]
    fn the_first_stop_string_is_found_and_beginnings_are_noticed() {
        let stop = StopStrings::new(vec!["\n\n".into(), "끝이다".into()]);
        let check = |text: &str, found: Option<usize>, beginning: usize| {
            assert_eq!((stop.find(text), stop.beginning(text)), (found, beginning));
        };
        check("a b", None, 0);
        check("a\n", None, 1);
        check("a\n\nb끝이다", Some(1), 0);
        check("끝이", None, 6);
        check("끝", None, 3);
    }
}
