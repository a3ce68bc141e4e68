//! The pieces of an RTF file.

/// A piece of RTF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `{`
    Open,
    /// `}`
    Close,
    /// `\*`
    Ignorable,
    /// A control word and its number.
    Word(&'a str, Option<i32>),
    /// A byte of text.
    Byte(u8),
}

/// The tokens of a file. Line ends of the file mean nothing; binary data is skipped.
pub(super) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn step(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    /// What stands behind a backslash.
    fn control(&mut self) -> Option<Token<'a>> {
        let letters = self
            .rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        if letters > 0 {
            return Some(self.word(letters));
        }
        Some(match self.step()? {
            b'\'' => self.hex(),
            b'*' => Token::Ignorable,
            b'~' => Token::Byte(b' '),
            b'_' => Token::Byte(b'-'),
            b'\n' | b'\r' => Token::Word("par", None),
            byte @ (b'{' | b'}' | b'\\') => Token::Byte(byte),
            // An optional hyphen, and what has no meaning.
            _ => Token::Word("", None),
        })
    }

    fn word(&mut self, letters: usize) -> Token<'a> {
        let (word, rest) = self.rest.split_at(letters);
        let sign = usize::from(rest.first() == Some(&b'-'));
        let digits = rest[sign..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let end = if digits == 0 { 0 } else { sign + digits };
        let number = std::str::from_utf8(&rest[..end])
            .ok()
            .and_then(|text| text.parse().ok());
        self.rest = &rest[end..];
        if self.rest.first() == Some(&b' ') {
            self.rest = &self.rest[1..];
        }
        let word = std::str::from_utf8(word).unwrap_or_default();
        if let ("bin", Some(length)) = (word, number) {
            let length = usize::try_from(length).unwrap_or(0).min(self.rest.len());
            self.rest = &self.rest[length..];
        }
        Token::Word(word, number)
    }

    fn hex(&mut self) -> Token<'a> {
        let digits = self.rest.first_chunk::<2>();
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                self.rest = &self.rest[2..];
                Token::Byte(byte)
            }
            None => Token::Word("", None),
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            return Some(match self.step()? {
                b'{' => Token::Open,
                b'}' => Token::Close,
                b'\\' => self.control()?,
                b'\n' | b'\r' | 0 => continue,
                byte => Token::Byte(byte),
            });
        }
    }
}
