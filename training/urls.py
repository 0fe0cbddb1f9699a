"""The addresses of training."""

from django.urls import path

from training.views import mine, people, practice, rules, teaching

urlpatterns = [
    path("training/", mine.index, name="training"),
    path("training/matrix/", people.index, name="training_matrix"),
    path("training/matrix/<int:pk>/<int:course>/", people.one, name="training_one"),
    path("training/matrix/<int:pk>/again/<int:version>/", people.again, name="training_again"),
    path("training/evidence/", people.evidence, name="training_evidence"),
    path("training/courses/", teaching.index, name="courses"),
    path("training/courses/add/", teaching.add, name="course_add"),
    path("training/courses/<int:pk>/", teaching.show, name="course"),
    path("training/courses/<int:pk>/revise/", teaching.revise, name="course_revise"),
    path("training/courses/<int:pk>/retire/", teaching.retire, name="course_retire"),
    path("training/drafts/<int:pk>/", teaching.write, name="course_draft"),
    path("training/drafts/<int:pk>/answers/", teaching.answers, name="course_answers"),
    path("training/rule/", rules.rule, name="training_rule"),
    path("training/rule/end/", rules.end_rule, name="training_rule_end"),
    path("training/appeals/<int:pk>/", rules.decide, name="training_appeal"),
    path("training/policy/", rules.policy, name="training_policy"),
    path("training/rounds/", rules.index, name="rounds"),
    path("rounds/<int:pk>/", rules.show, name="round"),
    path("trainings/<int:pk>/", mine.owed, name="training_owed"),
    path("training/texts/<slug:kind>/<int:pk>/", mine.text, name="training_text"),
    path("training/<int:pk>/", mine.course, name="course_take"),
    path("training/<int:pk>/start/", mine.start, name="test_start"),
    path("training/<int:pk>/practice/", practice.start, name="practice_start"),
    path("training/practice/<int:pk>/", practice.show, name="practice"),
    path("training/practice/<int:pk>/hand-in/", practice.hand_in, name="practice_hand_in"),
    path("training/practice/of/<int:number>/", practice.of, name="practice_of"),
    path("training/tests/<int:pk>/", mine.test, name="test"),
    path("training/certificates/<int:pk>/", mine.certificate, name="certificate"),
    path("training/certificates/<int:pk>/file/", mine.certificate_pdf, name="certificate_pdf"),
    path("training/files/<int:pk>/", mine.file, name="course_file"),
    path("training/proofs/<int:pk>/", mine.proof, name="training_proof"),
    path("verify/", mine.verify, name="verify"),
    path("verify/<str:code>/", mine.verify, name="verify_code"),
]
