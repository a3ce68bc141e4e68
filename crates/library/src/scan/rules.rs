//! What a user does not want read: `.gitignore`, and `.ibidignore` for what only concerns us.

use std::path::Path;
use std::rc::Rc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// The files that hold rules, in git's syntax; of two rules the later file's wins.
const RULE_FILES: [&str; 2] = [".gitignore", ".ibidignore"];

/// The rules of a folder and of those above it, up to the one the user named.
pub(super) struct Rules {
    here: Gitignore,
    above: Option<Rc<Rules>>,
}

impl Rules {
    /// The rules within `folder`. A rule that makes no sense is passed over, as git does.
    pub(super) fn within(folder: &Path, above: Option<&Rc<Rules>>) -> Rc<Rules> {
        let mut builder = GitignoreBuilder::new(folder);
        for name in RULE_FILES {
            let file = folder.join(name);
            if file.is_file() {
                builder.add(file);
            }
        }
        let here = builder.build().unwrap_or_else(|_| Gitignore::empty());
        let above = above.cloned();
        if here.is_empty()
            && let Some(above) = above
        {
            return above;
        }
        Rc::new(Rules { here, above })
    }

    /// Whether the file or folder at `path` is to be passed over. The innermost rule that
    /// speaks of it decides.
    pub(super) fn pass_over(&self, path: &Path, is_folder: bool) -> bool {
        match self.here.matched(path, is_folder) {
            Match::Ignore(_) => true,
            Match::Whitelist(_) => false,
            Match::None => {
                let above = self.above.as_ref();
                above.is_some_and(|above| above.pass_over(path, is_folder))
            }
        }
    }
}
