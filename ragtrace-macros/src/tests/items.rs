fn chunk(doc: &Document, pages: &[u32]) -> Vec<Chunk> {
    ::ragtrace::__private::catalog_entry! {
        static __RAGTRACE_STAGE = ::ragtrace::StageDescriptor::new("chunk",
        ::core::module_path!()).with_fields(&
        [::ragtrace::FieldDescriptor::ok("longest"),
        ::ragtrace::FieldDescriptor::used("document"),
        ::ragtrace::FieldDescriptor::generated("chunk"),
        ::ragtrace::FieldDescriptor::generated("page")]);
    }
    return {
        let mut __span = {
            let mut __fields = ::ragtrace::__private::start_fields();
            if __fields.is_wanted() {
                (|__fields: &mut ::ragtrace::__private::FieldBuffer| {
                    __fields.used().add(1u16, [&doc.id]);
                })(&mut __fields);
            }
            ::ragtrace::__private::open(&__RAGTRACE_STAGE, __fields)
        };
        let mut __entered = __span.call();
        let mut __body = move || -> Vec<Chunk> { split(doc) };
        let __out = if ::ragtrace::__private::is_large(&__body) {
            (__body)()
        } else {
            __entered.run(__body)
        };
        __entered
            .end(|__end| match ::ragtrace::__private::Probe::new(&__out).split() {
                ::core::result::Result::Ok(__out) => {
                    __end.count(::ragtrace::__private::CountProbe::new(__out).count());
                    {
                        let chunks = __out;
                        __end
                            .generated()
                            .add(2u16, chunks.iter().map(|chunk| &chunk.id))
                            .add(3u16, pages);
                    }
                    let out = __out;
                    __end.set(0u16, &longest(out));
                }
                ::core::result::Result::Err(__out) => {
                    __end.fail(::ragtrace::__private::ErrorProbe::new(__out).capture());
                }
            });
        __out
    };
}
