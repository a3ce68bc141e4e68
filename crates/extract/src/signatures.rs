//! Kinds of files that are recognised by their first bytes but not read.
//!
//! The table exists for its messages: "this is a PNG image, which this version does not read
//! yet" helps, "invalid UTF-8" does not. Archives are among them: what is packed together was
//! not all meant to be read.

/// Bytes at a fixed place that give a kind of file away.
struct Signature {
    /// What it is, with its article.
    found: &'static str,
    /// Where `magic` stands.
    offset: usize,
    magic: &'static [u8],
}

const fn at_start(magic: &'static [u8], found: &'static str) -> Signature {
    at(0, magic, found)
}

const fn at(offset: usize, magic: &'static [u8], found: &'static str) -> Signature {
    Signature {
        found,
        offset,
        magic,
    }
}

/// Magic numbers. Those made of letters alone are long enough that no prose begins with them.
const SIGNATURES: &[Signature] = &[
    at_start(b"%!PS-Adobe", "a PostScript document"),
    at_start(b"HWP Document File V3.00 \x1A", "an old HWP document"),
    at_start(
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
        "an older kind of Office or Windows file",
    ),
    at_start(b"PK\x03\x04", "a ZIP archive"),
    at_start(b"PK\x05\x06", "a ZIP archive"),
    at_start(b"\x1F\x8B", "a gzip archive"),
    at_start(b"BZh91AY&SY", "a bzip2 archive"),
    at_start(b"\xFD7zXZ\0", "an xz archive"),
    at_start(b"\x28\xB5\x2F\xFD", "a zstd archive"),
    at_start(b"7z\xBC\xAF\x27\x1C", "a 7z archive"),
    at_start(b"Rar!\x1A\x07", "a RAR archive"),
    at(257, b"ustar", "a tar archive"),
    at_start(b"\x89PNG\r\n\x1A\n", "a PNG image"),
    at_start(b"\xFF\xD8\xFF", "a JPEG image"),
    at_start(b"GIF87a", "a GIF image"),
    at_start(b"GIF89a", "a GIF image"),
    at_start(b"II*\0", "a TIFF image"),
    at_start(b"MM\0*", "a TIFF image"),
    at(8, b"WEBPVP8", "a WebP image"),
    at(8, b"WAVEfmt ", "a WAV recording"),
    at(8, b"AVI LIST", "an AVI video"),
    at_start(b"\0\0\0\x18ftyp", "an MP4 or HEIF file"),
    at_start(b"\0\0\0\x1Cftyp", "an MP4 or HEIF file"),
    at_start(b"\0\0\0\x20ftyp", "an MP4 or HEIF file"),
    at_start(b"\x1A\x45\xDF\xA3", "a Matroska or WebM video"),
    at_start(b"ID3\x03", "an MP3 recording"),
    at_start(b"ID3\x04", "an MP3 recording"),
    at_start(b"OggS\0", "an Ogg recording"),
    at_start(b"fLaC\0", "a FLAC recording"),
    at_start(b"\x7FELF", "a program"),
    at_start(b"MZ\x90\0", "a Windows program"),
    at_start(b"\xCF\xFA\xED\xFE", "a macOS program"),
    at_start(b"\xCA\xFE\xBA\xBE", "a compiled program"),
    at_start(b"\0asm", "a WebAssembly module"),
    at_start(b"SQLite format 3\0", "an SQLite database"),
    at_start(b"wOFF\0\x01", "a font"),
    at_start(b"wOF2\0\x01", "a font"),
];

/// What the bytes are, with its article, when they begin like a known kind of binary file.
pub(crate) fn find(bytes: &[u8]) -> Option<&'static str> {
    let matches = |signature: &&Signature| {
        bytes
            .get(signature.offset..)
            .is_some_and(|rest| rest.starts_with(signature.magic))
    };
    SIGNATURES
        .iter()
        .find(matches)
        .map(|signature| signature.found)
}
