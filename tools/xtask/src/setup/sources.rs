// SPDX-License-Identifier: BSD-2-Clause
//! The backports suite, derived from the machine's own package sources: no server is named here.

use std::path::{Path, PathBuf};

/// The file that set-up adds under `/etc/apt/sources.list.d`, in the form of the file that it is derived from.
const ADDED: &str = "ioasid-backports";

/// A sources file to write.
#[derive(Debug, PartialEq, Eq)]
pub struct Addition {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub text: String,
}

/// Looks through the sources under `apt` (`/etc/apt`) for the one that serves `codename` and derives
/// `codename-backports` from it. `None` where there is none.
pub fn backports(apt: &Path, codename: &str) -> Option<Addition> {
    let list = apt.join("sources.list.d");
    let mut files = vec![apt.join("sources.list")];
    files.extend(std::fs::read_dir(&list).into_iter().flatten().flatten().map(|entry| entry.path()));
    files.sort();
    files.iter().find_map(|file| {
        let text = std::fs::read_to_string(file).ok()?;
        let (extension, text) = match file.extension()?.to_str()? {
            "sources" => ("sources", derive_deb822(&text, codename)?),
            "list" => ("list", derive_one_line(&text, codename)?),
            _ => return None,
        };
        Some(Addition { path: list.join(ADDED).with_extension(extension), text })
    })
}

/// The first stanza whose `Suites` holds `codename`, with the backports suite instead.
fn derive_deb822(text: &str, codename: &str) -> Option<String> {
    let without_comments: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    without_comments.split(|line| line.trim().is_empty()).find_map(|stanza| {
        let field = |line: &str, name: &str| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        let value = |name: &str| stanza.iter().find_map(|line| field(line, name));
        let serves = value("Suites")?.split_whitespace().any(|suite| suite == codename);
        let binary = value("Types")?.split_whitespace().any(|kind| kind == "deb");
        let disabled = value("Enabled").is_some_and(|on| on.eq_ignore_ascii_case("no"));
        (serves && binary && !disabled).then(|| {
            let line = |line: &&str| match field(line, "Suites") {
                Some(_) => format!("Suites: {codename}-backports\n"),
                None if field(line, "Types").is_some() => "Types: deb\n".to_owned(),
                None => format!("{line}\n"),
            };
            stanza.iter().map(line).collect()
        })
    })
}

/// The first `deb` line that serves `codename`, with the backports suite instead.
fn derive_one_line(text: &str, codename: &str) -> Option<String> {
    text.lines().map(str::trim).filter(|line| line.starts_with("deb ") || line.starts_with("deb\t")).find_map(
        |line| {
            let words: Vec<_> = line.split_whitespace().collect();
            // The suite follows the server, which is the first word that is neither `deb` nor an option.
            let server =
                words.iter().position(|word| word.contains(':') && !word.contains(['[', ']', '=']))?;
            (words.get(server + 1) == Some(&codename)).then(|| {
                let suite = format!("{codename}-backports");
                let mut words = words.clone();
                words[server + 1] = &suite;
                format!("{}\n", words.join(" "))
            })
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEB822: &str = "Types: deb deb-src\n# a comment\nURIs: mirror:/one\nSuites: bookworm bookworm-updates\n\
        Components: main contrib\nSigned-By: /usr/share/keyrings/a.gpg\n\n\
        Types: deb\nURIs: mirror:/two\nSuites: bookworm-security\nComponents: main\n";

    #[test]
    fn a_stanza_is_derived_with_everything_but_its_suites() {
        let derived = derive_deb822(DEB822, "bookworm").unwrap();
        assert_eq!(
            derived,
            "Types: deb\nURIs: mirror:/one\nSuites: bookworm-backports\nComponents: main contrib\n\
             Signed-By: /usr/share/keyrings/a.gpg\n"
        );
        assert_eq!(derive_deb822(DEB822, "trixie"), None);
        assert_eq!(derive_deb822(&format!("Enabled: no\n{DEB822}"), "bookworm"), None);
    }

    #[test]
    fn a_line_is_derived_with_its_options() {
        let text = "# deb mirror:/x bookworm main\ndeb-src mirror:/x bookworm main\n\
            deb [arch=amd64 signed-by=/a.gpg] mirror:/x bookworm main contrib\n";
        let derived = derive_one_line(text, "bookworm").unwrap();
        assert_eq!(derived, "deb [arch=amd64 signed-by=/a.gpg] mirror:/x bookworm-backports main contrib\n");
        assert_eq!(derive_one_line("deb mirror:/x bookworm-updates main\n", "bookworm"), None);
    }

    #[test]
    fn the_machine_s_files_are_looked_through() {
        let apt = tempfile::tempdir().unwrap();
        let list = apt.path().join("sources.list.d");
        std::fs::create_dir(&list).unwrap();
        assert_eq!(backports(apt.path(), "bookworm"), None);
        std::fs::write(list.join("other.list.disabled"), "deb mirror:/z bookworm main\n").unwrap();
        std::fs::write(list.join("debian.sources"), DEB822).unwrap();
        let addition = backports(apt.path(), "bookworm").unwrap();
        assert_eq!(addition.path, list.join("ioasid-backports.sources"));
        std::fs::write(apt.path().join("sources.list"), "deb mirror:/y bookworm main\n").unwrap();
        let addition = backports(apt.path(), "bookworm").unwrap();
        assert_eq!(addition.path, list.join("ioasid-backports.list"), "the form of what it is derived from");
    }
}
