//! `#[builtin("prosrc", .., option)]`: derives a built-in's registry entry from one plain function. See crate `types`.
//!
//! Options: `batch` (a kernel over by-value columns, one or two arguments), `write` (an output function), `set`
//! (set-returning), `raw` (takes the argument slice itself).
#![forbid(unsafe_code)]

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, FnArg, Ident, ItemFn, LitStr, ReturnType, Token, Type, parse_macro_input};

struct Options {
    names: Vec<LitStr>,
    flags: Vec<Ident>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Options> {
        let mut options = Options { names: Vec::new(), flags: Vec::new() };
        while !input.is_empty() {
            if input.peek(LitStr) {
                options.names.push(input.parse()?);
            } else {
                options.flags.push(input.parse()?);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

impl Options {
    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|f| f == flag)
    }
}

/// See the crate's head.
#[proc_macro_attribute]
pub fn builtin(attr: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(attr as Options);
    let function = parse_macro_input!(item as ItemFn);
    expand(&options, &function).unwrap_or_else(Error::into_compile_error).into()
}

fn is_context(ty: &Type) -> bool {
    let Type::Reference(r) = ty else { return false };
    matches!(&*r.elem, Type::Path(p) if p.path.segments.last().is_some_and(|s| s.ident == "FnCx"))
}

/// A reference without its lifetime's name, which the generated code does not know.
fn anonymous(ty: &Type) -> Type {
    let mut ty = Type::clone(ty);
    if let Type::Reference(r) = &mut ty {
        r.lifetime = None;
    }
    ty
}

/// The result type behind a `Result`, and whether there was one.
fn result_type(output: &ReturnType) -> (Tokens, bool) {
    let ReturnType::Type(_, ty) = output else {
        return (quote!(()), false);
    };
    if let Type::Path(p) = &**ty
        && let Some(last) = p.path.segments.last()
        && last.ident == "Result"
        && let syn::PathArguments::AngleBracketed(args) = &last.arguments
        && let Some(first) = args.args.first()
    {
        return (quote!(#first), true);
    }
    (quote!(#ty), false)
}

fn expand(options: &Options, function: &ItemFn) -> syn::Result<Tokens> {
    let name = &function.sig.ident;
    let entry = format_ident!("__BUILTIN_{}", name);
    let names = &options.names;
    if names.is_empty() {
        return Err(Error::new_spanned(name, "name the pg_proc.prosrc it serves"));
    }
    let inputs: Punctuated<&FnArg, Token![,]> = function.sig.inputs.iter().collect();
    let mut types: Vec<Type> = Vec::new();
    for input in &inputs {
        match input {
            FnArg::Typed(t) => types.push(anonymous(&t.ty)),
            FnArg::Receiver(r) => return Err(Error::new_spanned(r, "a built-in is a plain function")),
        }
    }
    let has_cx = types.first().is_some_and(is_context);
    if has_cx {
        types.remove(0);
    }
    let cx = if has_cx { quote!(cx,) } else { quote!() };
    let (result, fallible) = result_type(&function.sig.output);
    let try_ = |call: Tokens| if fallible { quote!(#call?) } else { call };

    if options.has("raw") {
        let call = try_(quote!(#name(#cx args)));
        let body = match options.has("set") {
            true => quote!(::types::Body::Set(|cx, args| { let _ = &cx; ::std::result::Result::Ok(#call) })),
            false => {
                quote!(::types::Body::Row(|cx, args| { let _ = &cx; ::std::result::Result::Ok(::types::IntoDatum::into_datum(#call)) }))
            }
        };
        return Ok(emit(function, &entry, names, &body, &quote!(None), &quote!(None)));
    }

    let writes = options.has("write");
    if writes {
        types.pop();
    }
    let (mut bind, mut nulls, mut vars) = (Tokens::new(), Tokens::new(), Vec::new());
    for (i, ty) in types.iter().enumerate() {
        let var = format_ident!("a{}", i);
        nulls.extend(quote! {
            if !<#ty as ::types::FromDatum>::ACCEPTS_NULL && args.get(#i).is_none_or(|a| a.is_null()) {
                return ::std::result::Result::Ok(NULL);
            }
        });
        bind.extend(quote! {
            let #var = <#ty as ::types::FromDatum>::from_datum(args.get(#i).copied().unwrap_or_default())?;
        });
        vars.push(var);
    }
    let opened = quote! { let _ = (&cx, &args); };
    if writes {
        let call = try_(quote!(#name(#cx #(#vars,)* out)));
        let body = quote! {
            ::types::Body::Row(|cx, args| ::types::with_plain(cx, args, |cx, args| {
                const NULL: ::types::Datum = ::types::Datum::Null;
                #opened #nulls #bind
                let mut text = ::std::vec::Vec::new();
                let out = &mut text;
                #call;
                ::std::result::Result::Ok(::types::Datum::bytes(text))
            }))
        };
        let write = quote! {
            Some(|cx, value, out| {
                const NULL: () = ();
                let plain;
                let args = match value {
                    ::types::DatumRef::Toasted(t) => {
                        plain = cx.rt.detoast(t)?;
                        [::types::DatumRef::Bytes(&plain)]
                    }
                    value => [value],
                };
                #opened #nulls #bind
                #call;
                ::std::result::Result::Ok(())
            })
        };
        return Ok(emit(function, &entry, names, &body, &quote!(None), &write));
    }
    let call = try_(quote!(#name(#cx #(#vars,)*)));
    if options.has("set") {
        let indices = 0..types.len();
        let body = quote! {
            ::types::Body::Set(|cx, args| {
                #opened
                #( if !<#types as ::types::FromDatum>::ACCEPTS_NULL && args.get(#indices).is_none_or(|a| a.is_null()) {
                    return ::std::result::Result::Ok(::std::boxed::Box::new(::types::RowList(::std::vec::Vec::new().into_iter())));
                } )*
                #bind
                ::std::result::Result::Ok(#call)
            })
        };
        return Ok(emit(function, &entry, names, &body, &quote!(None), &quote!(None)));
    }
    let body = quote! {
        ::types::Body::Row(|cx, args| ::types::with_plain(cx, args, |cx, args| {
            const NULL: ::types::Datum = ::types::Datum::Null;
            #opened #nulls #bind
            ::std::result::Result::Ok(::types::IntoDatum::into_datum(#call))
        }))
    };
    let batch = if options.has("batch") {
        let kernel = match types.len() {
            1 => quote!(unary),
            2 => quote!(binary),
            _ => return Err(Error::new_spanned(name, "a batch kernel takes one or two arguments")),
        };
        let f = if fallible {
            quote!(|#(#vars),*| #name(#cx #(#vars),*))
        } else {
            quote!(|#(#vars),*| ::std::result::Result::Ok(#name(#cx #(#vars),*)))
        };
        quote! {
            Some(|cx, args, rows, out| { let _ = &cx; ::types::kernel::#kernel::<#(#types,)* #result>(args, rows, out, #f) })
        }
    } else {
        quote!(None)
    };
    Ok(emit(function, &entry, names, &body, &batch, &quote!(None)))
}

fn emit(function: &ItemFn, entry: &Ident, names: &[LitStr], body: &Tokens, batch: &Tokens, write: &Tokens) -> Tokens {
    quote! {
        #function
        #[doc(hidden)]
        #[allow(non_upper_case_globals)]
        pub const #entry: ::types::Builtin =
            ::types::Builtin { names: &[#(#names),*], body: #body, batch: #batch, write: #write };
    }
}
