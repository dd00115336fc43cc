/* Replays the vectors of affine.quantize, convention onnx, from the header that `refcompress vectors --format c
 * --formula affine.quantize --convention onnx` wrote: prints the cases that fail. With -DHALF_AWAY ties go away from
 * zero, which is wrong. */
#include "affine.h"

#include <math.h>
#include <stdio.h>

static int64_t quantize(float x, float scale, int64_t zero_point, int64_t qmin, int64_t qmax)
{
#ifdef HALF_AWAY
    const float rounded = roundf(x / scale);
#else
    const float rounded = rintf(x / scale);
#endif
    const double q = (double)rounded + (double)zero_point;
    return q < (double)qmin ? qmin : q > (double)qmax ? qmax : (int64_t)q;
}

int main(void)
{
    const size_t cases = sizeof affine_quantize_cases / sizeof *affine_quantize_cases;
    int failed = 0;
    for (size_t i = 0; i < cases; i++) {
        const struct affine_quantize_case *c = &affine_quantize_cases[i];
        int wrong = 0;
        for (size_t k = 0; k < c->x_size; k++)
            wrong |= quantize(c->x[k], c->scale[0], (int64_t)c->zero_point[0], c->qmin[0], c->qmax[0]) != c->expected_q[k];
        if (wrong)
            printf("%s %s\n", c->id, c->made_for);
        failed |= wrong;
    }
    return failed;
}
