async fn tokens(
    prompt: &str,
) -> Result<impl Stream<Item = Result<Token, Error>>, Error> {
    ::ragtrace::__private::catalog_entry! {
        static __RAGTRACE_STAGE = ::ragtrace::StageDescriptor::new("tokens",
        ::core::module_path!()).with_fields(&
        [::ragtrace::FieldDescriptor::err("code")]);
    }
    return match ::ragtrace::__private::open_bare(&__RAGTRACE_STAGE)
        .try_await_stream::<
            Result<Token, Error>,
            _,
            _,
        >(
            async move {
                if false {
                    return ::ragtrace::__private::expected::<Result<_, Error>>();
                }
                ({ request(prompt).await })
            },
            move |__out, __open| {
                let mut __end = __open
                    .fail(::ragtrace::__private::ErrorProbe::new(__out).capture());
                let e = __out;
                __end.set(0u16, &e.code());
            },
        )
        .await
    {
        ::core::result::Result::Ok(__open) => {
            ::core::result::Result::Ok(
                __open
                    .items(move |__out, __open| {
                        if let ::core::result::Result::Err(__out) = ::ragtrace::__private::Probe::new(
                                __out,
                            )
                            .split()
                        {
                            let mut __end = __open
                                .fail(
                                    ::ragtrace::__private::ErrorProbe::new(__out).capture(),
                                );
                            let e = __out;
                            __end.set(0u16, &e.code());
                        }
                    }),
            )
        }
        ::core::result::Result::Err(__out) => ::core::result::Result::Err(__out),
    };
}
