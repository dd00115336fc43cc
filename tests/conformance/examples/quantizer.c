/* A quantizer in C99 that `refcompress check --command ./quantizer --formula affine --convention onnx` can check: it reads
 * requests from standard input, a line each, and answers each with a line. Their shape is known, so nothing but the
 * numbers is looked at. Floats are read from "hex", which strtof takes without rounding. With -DHALF_AWAY ties go away
 * from zero, which is wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands behind a key. */
static const char *after(const char *text, const char *key)
{
    const char *found = strstr(text, key);
    if (found == NULL) {
        fprintf(stderr, "there is no %s\n", key);
        exit(1);
    }
    return found + strlen(key);
}

static long quantize(float x, float scale, long zero_point, long qmin, long qmax)
{
#ifdef HALF_AWAY
    const float rounded = roundf(x / scale);
#else
    const float rounded = rintf(x / scale); /* ties to even, the default */
#endif
    const double q = (double)rounded + (double)zero_point; /* may be far outside of long */
    return q < (double)qmin ? qmin : q > (double)qmax ? qmax : (long)q;
}

int main(void)
{
    static char line[1 << 20];

    while (fgets(line, sizeof line, stdin) != NULL) {
        const char *x = after(line, "\"x\": ");
        const char *next = after(x, "\"hex\": [");
        const float scale = strtof(after(after(line, "\"scale\": "), "\"hex\": [\""), NULL);
        const long zero_point = strtol(after(after(line, "\"zero_point\": "), "\"values\": ["), NULL, 10);
        const long qmin = strtol(after(line, "\"qmin\": "), NULL, 10);
        const long qmax = strtol(after(line, "\"qmax\": "), NULL, 10);
        const long count = strtol(after(x, "\"shape\": ["), NULL, 10);

        printf("{\"id\": %ld, \"results\": [{\"dtype\": \"int32\", ", strtol(after(line, "\"id\": "), NULL, 10));
        printf("\"shape\": [%ld], \"values\": [", count);
        for (long i = 0; i < count; i++) {
            next = strchr(next, '"') + 1; /* the number's first character, then what follows its closing quote */
            printf("%s%ld", i > 0 ? ", " : "", quantize(strtof(next, NULL), scale, zero_point, qmin, qmax));
            next = strchr(next, '"') + 1;
        }
        printf("]}]}\n");
        fflush(stdout);
    }
    return 0;
}
