/* Results: shown, drawn as PDF where the program can, and the signed code on them checked. */
#include "api/call.h"
#include "dossiers/case/case.h"

#include "api/inside.h"

#include <string.h>

static void no_pdf(struct work *w)
{
    problem_set(&w->problem, 404, "no-pdf-here", NULL, NULL, NULL,
                "本站不生成 PDF，请在结果页面上用浏览器打印（也可另存为 PDF）。",
                "This site makes no PDF. Print from the page of the result; the browser can also "
                "save it as PDF.");
}

/* NUMBER.pdf asks for the drawn form. */
static bool certificate_before(struct work *w)
{
    const char *number = json_get_text(w->in, "number");
    size_t n = number ? strlen(number) : 0;
    if (n < 5 || strcmp(number + n - 4, ".pdf"))
        return true;
    json_set_text(w->in, "number", arena_strndup(w->arena, number, n - 4));
    w->print = w->api->print_certificate;
    if (!w->print)
        no_pdf(w);
    return w->print;
}

static bool label_before(struct work *w)
{
    w->print = w->api->print_label;
    if (!w->print)
        no_pdf(w);
    return w->print;
}

static void pdf_after(struct work *w)
{
    if (w->print && !w->problem.status) {
        call_header(w, "Content-Disposition", "inline");
        call_header(w, "Cache-Control", "private, no-cache");
    }
}

const struct call certificates_calls[] = {
    {.method = "GET",
     .path = "/api/v1/certificates/{number}",
     .fn = certificate_show,
     .flags = CALL_PUBLIC | CALL_CODED,
     .query = {"case", "code"},
     .before = certificate_before,
     .after = pdf_after},
    {.method = "GET",
     .path = "/api/v1/verify",
     .fn = certificate_verify_token,
     .flags = CALL_PUBLIC,
     .query = {"token"}},
    {.method = "GET",
     .path = "/api/v1/deliveries/{id}/label.pdf",
     .fn = delivery_show,
     .before = label_before,
     .after = pdf_after},
    {0},
};
