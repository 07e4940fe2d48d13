fn embed(&self) -> Pin<Box<dyn Future<Output = Result<Vec<f32>, Error>> + Send + '_>> {
    ::ragtrace::__private::catalog_entry! {
        static __RAGTRACE_STAGE = ::ragtrace::StageDescriptor::new("embedding",
        ::core::module_path!()).with_root();
    }
    return ::ragtrace::__private::boxed(
        ::ragtrace::__private::open_deferred(&__RAGTRACE_STAGE, |_| ())
            .block(async move {
                if false {
                    return ::ragtrace::__private::expected::<Result<Vec<f32>, Error>>();
                }
                ({ self.model.embed().await })
            })
            .end(move |__out, __end| match ::ragtrace::__private::Probe::new(__out)
                .split()
            {
                ::core::result::Result::Ok(__out) => {
                    __end.count(::ragtrace::__private::CountProbe::new(__out).count());
                }
                ::core::result::Result::Err(__out) => {
                    __end.fail(::ragtrace::__private::ErrorProbe::new(__out).capture());
                }
            }),
    );
}
