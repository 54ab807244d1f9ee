//! What the derive refuses, and the messages.

use syn::parse_quote;

use super::*;

fn refusal(input: &DeriveInput) -> String {
    expand(input).unwrap_err().to_string()
}

#[test]
fn what_can_be_no_setting_is_refused_with_what_can() {
    let cases: [(DeriveInput, &str); 18] = [
        (parse_quote!(union Either { a: u8, b: u8 }), "settings are a struct or an enum"),
        (
            parse_quote!(
                struct Of<T> {
                    value: T,
                }
            ),
            "settings have no type parameters",
        ),
        (
            parse_quote!(
                struct Pair(u8, u8);
            ),
            "a tuple struct of settings has one field",
        ),
        (
            parse_quote!(
                enum Rule {
                    Of(u8),
                }
            ),
            "a variant of settings is a text",
        ),
        (
            parse_quote!(
                enum Never {}
            ),
            "an enum without variants allows nothing",
        ),
        (
            parse_quote!(
                enum Twice {
                    A,
                    #[setting(name = "a")]
                    B,
                }
            ),
            "two variants are written `a`",
        ),
        (
            parse_quote!(
                struct Twice {
                    a: u8,
                    #[setting(name = "a")]
                    b: u8,
                }
            ),
            "two fields have the key `a`",
        ),
        (
            parse_quote!(
                #[setting(name = "x")]
                struct Named;
            ),
            "say it of a field or a variant",
        ),
        (
            parse_quote!(
                struct Typo {
                    #[setting(defualt = 1)]
                    a: u8,
                }
            ),
            "allowed is default, range, length, name",
        ),
        (
            parse_quote!(
                struct Typo(#[setting(default = 1)] u8);
            ),
            "allowed is range, length",
        ),
        (
            parse_quote!(
                enum Typo {
                    #[setting(range = 1..)]
                    A,
                }
            ),
            "allowed is name",
        ),
        (
            parse_quote!(
                struct Twice {
                    #[setting(default = 1, default = 2)]
                    a: u8,
                }
            ),
            "said twice",
        ),
        (
            parse_quote!(
                struct Open {
                    #[setting(range = 1..3)]
                    a: u8,
                }
            ),
            "both bounds inclusive",
        ),
        (
            parse_quote!(
                struct All {
                    #[setting(range = ..)]
                    a: u8,
                }
            ),
            "both bounds inclusive",
        ),
        (
            parse_quote!(
                struct Call {
                    #[setting(default = eighty())]
                    a: u8,
                }
            ),
            "a default is JSON",
        ),
        (
            parse_quote!(
                struct Half {
                    #[setting(default = 0.5)]
                    a: u8,
                }
            ),
            "a default is JSON",
        ),
        (
            parse_quote!(
                struct Suffix {
                    #[setting(default = 5u8)]
                    a: u8,
                }
            ),
            "a default is JSON",
        ),
        (
            parse_quote!(
                struct Minus {
                    #[setting(default = -"5")]
                    a: u8,
                }
            ),
            "a default is JSON",
        ),
    ];
    for (input, message) in cases {
        let found = refusal(&input);
        assert!(found.contains(message), "{found}");
    }
}

#[test]
fn defaults_are_written_as_json_whatever_they_hold() {
    let input = parse_quote! {
        struct Sample {
            #[setting(default = [-5, 0x10, "a\"\n", true, null, {"b": {}, "c": []}])]
            all: Vec<u8>,
        }
    };
    let expanded = expand(&input).unwrap().to_string();
    let json = r#"[-5,16,\"a\\\"\\u000a\",true,null,{\"b\":{},\"c\":[]}]"#;
    assert!(expanded.contains(json), "{expanded}");
}
