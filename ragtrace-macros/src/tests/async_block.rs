fn load() {
    {
        ::ragtrace::__private::catalog_entry! {
            static __RAGTRACE_STAGE = ::ragtrace::StageDescriptor::new("file_parsing",
            ::core::module_path!());
        }
        ::ragtrace::__private::open_deferred(&__RAGTRACE_STAGE, |_| ())
            .block(async move { read(path).await })
            .end(move |__out, __end| match ::ragtrace::__private::Probe::new(__out)
                .split()
            {
                ::core::result::Result::Ok(__out) => {
                    __end.count(::ragtrace::__private::CountProbe::new(__out).count());
                }
                ::core::result::Result::Err(__out) => {
                    __end.fail(::ragtrace::__private::ErrorProbe::new(__out).capture());
                }
            })
    }
}
