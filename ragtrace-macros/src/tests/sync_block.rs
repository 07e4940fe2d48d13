fn load() {
    {
        ::ragtrace::__private::catalog_entry! {
            static __RAGTRACE_STAGE = ::ragtrace::StageDescriptor::new("file_parsing",
            ::core::module_path!()).with_kind(::ragtrace::StageKind::Parse)
            .with_renamed_from(& "parsing").with_fields(&
            [::ragtrace::FieldDescriptor::start("path")]);
        }
        '__whole: {
            let __expected = ::ragtrace::__private::expected;
            if false {
                break '__whole __expected();
            }
            let mut __span = {
                let mut __fields = ::ragtrace::__private::start_fields();
                if __fields.is_wanted() {
                    (|__fields: &mut ::ragtrace::__private::FieldBuffer| {
                        __fields.set(0u16, &path);
                    })(&mut __fields);
                }
                ::ragtrace::__private::open(&__RAGTRACE_STAGE, __fields)
            };
            let mut __entered = __span.call();
            let mut __body = || -> _ {
                if false {
                    return __expected();
                }
                ({ read(path)?.parse() })
            };
            let __out = if ::ragtrace::__private::is_large(&__body) {
                (__body)()
            } else {
                __entered.run(__body)
            };
            __entered
                .end(|__end| match ::ragtrace::__private::Probe::new(&__out).split() {
                    ::core::result::Result::Ok(__out) => {
                        __end
                            .count(
                                ::ragtrace::__private::CountProbe::new(__out).count(),
                            );
                    }
                    ::core::result::Result::Err(__out) => {
                        __end
                            .fail(
                                ::ragtrace::__private::ErrorProbe::new(__out).capture(),
                            );
                    }
                });
            __out
        }
    }
}
