//! Names of fields as serde writes them.

use syn::LitStr;

/// How `#[serde(rename_all = "..")]` changes names.
#[derive(Clone, Copy)]
pub(crate) enum Rename {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Rename {
    pub(crate) fn parse(rule: &LitStr) -> syn::Result<Self> {
        Ok(match &*rule.value() {
            "lowercase" => Rename::Lower,
            "UPPERCASE" => Rename::Upper,
            "PascalCase" => Rename::Pascal,
            "camelCase" => Rename::Camel,
            "snake_case" => Rename::Snake,
            "SCREAMING_SNAKE_CASE" => Rename::ScreamingSnake,
            "kebab-case" => Rename::Kebab,
            "SCREAMING-KEBAB-CASE" => Rename::ScreamingKebab,
            other => {
                let text = format!("`{other}` is no rule that serde has for names");
                return Err(syn::Error::new(rule.span(), text));
            }
        })
    }

    /// The name of a field, which is in snake case.
    pub(crate) fn apply(self, field: &str) -> String {
        match self {
            Rename::Lower | Rename::Snake => field.to_owned(),
            Rename::Upper | Rename::ScreamingSnake => field.to_ascii_uppercase(),
            Rename::Pascal => pascal(field),
            Rename::Camel => {
                let pascal = pascal(field);
                let mut letters = pascal.chars();
                let first = letters.next().map(|first| first.to_ascii_lowercase());
                first.into_iter().chain(letters).collect()
            }
            Rename::Kebab => field.replace('_', "-"),
            Rename::ScreamingKebab => field.to_ascii_uppercase().replace('_', "-"),
        }
    }
}

fn pascal(field: &str) -> String {
    let mut name = String::with_capacity(field.len());
    let mut is_first = true;
    for letter in field.chars() {
        if letter == '_' {
            is_first = true;
        } else if std::mem::take(&mut is_first) {
            name.push(letter.to_ascii_uppercase());
        } else {
            name.push(letter);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::Rename;

    #[test]
    fn names_are_those_of_serde() {
        let all = [
            (Rename::Lower, "user_name"),
            (Rename::Upper, "USER_NAME"),
            (Rename::Pascal, "UserName"),
            (Rename::Camel, "userName"),
            (Rename::Snake, "user_name"),
            (Rename::ScreamingSnake, "USER_NAME"),
            (Rename::Kebab, "user-name"),
            (Rename::ScreamingKebab, "USER-NAME"),
        ];
        for (rule, expected) in all {
            assert_eq!(rule.apply("user_name"), expected);
        }
    }
}
