(** * Departures that are random

    Every request departs with probability [p], independently of the others: the mean of any
    function of the loads and of what departs, for given loads. *)

From Coq Require Import Reals Lra ZArith List.
From evenkeel Require Import Departures Recursion.
Import ListNotations.
Open Scope R_scope.

(** Mean over the departures from a worker with these loads, and from all workers. *)
Fixpoint E_jobs (p : R) (ws : list Z) (f : list job -> R) : R :=
  match ws with
  | [] => f []
  | w :: rest => p * E_jobs p rest (fun jobs => f ((w, true) :: jobs))
      + (1 - p) * E_jobs p rest (fun jobs => f ((w, false) :: jobs))
  end.

Fixpoint E_state (p : R) (loads : list (list Z)) (f : state -> R) : R :=
  match loads with
  | [] => f []
  | ws :: rest => E_jobs p ws (fun jobs => E_state p rest (fun others => f (jobs :: others)))
  end.

Lemma E_jobs_le : forall p ws f g, 0 <= p <= 1 ->
  (forall jobs, map fst jobs = ws -> f jobs <= g jobs) -> E_jobs p ws f <= E_jobs p ws g.
Proof.
  intros p ws f g P. revert f g. induction ws as [|w ws IH]; intros f g H; simpl; [now apply H|].
  apply Rplus_le_compat; apply Rmult_le_compat_l; try lra; apply IH; intros jobs E; apply H;
    simpl; now rewrite E.
Qed.

Lemma E_jobs_linear : forall p ws c f g,
  E_jobs p ws (fun jobs => c * f jobs + g jobs) = c * E_jobs p ws f + E_jobs p ws g.
Proof. induction ws; intros c f g; simpl; [reflexivity|]. rewrite !IHws. ring. Qed.

Lemma E_jobs_constant : forall p ws c, E_jobs p ws (fun _ => c) = c.
Proof. induction ws; intros c; simpl; [reflexivity|]. rewrite !IHws. ring. Qed.

Lemma E_jobs_scaled : forall p ws c f, E_jobs p ws (fun jobs => f jobs * c) = E_jobs p ws f * c.
Proof. induction ws; intros c f; simpl; [reflexivity|]. rewrite !IHws. ring. Qed.

Lemma E_state_le : forall p loads f g, 0 <= p <= 1 ->
  (forall st, map (map fst) st = loads -> f st <= g st) -> E_state p loads f <= E_state p loads g.
Proof.
  intros p loads f g P. revert f g. induction loads as [|ws rest IH]; intros f g H; simpl;
    [now apply H|].
  apply E_jobs_le; [exact P|]. intros jobs E. apply IH. intros others E'. apply H.
  simpl. now rewrite E, E'.
Qed.

Lemma E_jobs_ext : forall p ws (f g : list job -> R),
  (forall jobs : list job, map fst jobs = ws -> f jobs = g jobs) ->
  E_jobs p ws f = E_jobs p ws g.
Proof.
  intros p ws. induction ws as [|w ws IH]; intros f g H; simpl; [now apply H|].
  f_equal; f_equal; apply IH; intros jobs E; apply H; simpl; now rewrite E.
Qed.

Lemma E_state_ext : forall p loads (f g : state -> R),
  (forall st : state, map (map fst) st = loads -> f st = g st) ->
  E_state p loads f = E_state p loads g.
Proof.
  intros p loads. induction loads as [|ws rest IH]; intros f g H; simpl; [now apply H|].
  apply E_jobs_ext. intros jobs E. apply IH. intros others E'. apply H. simpl.
  now rewrite E, E'.
Qed.

Lemma E_state_linear : forall p loads c f g,
  E_state p loads (fun st => c * f st + g st) = c * E_state p loads f + E_state p loads g.
Proof.
  induction loads as [|ws rest IH]; intros c f g; simpl; [reflexivity|].
  rewrite <- E_jobs_linear. apply E_jobs_ext. intros jobs _. apply IH.
Qed.

Lemma E_state_constant : forall p loads c, E_state p loads (fun _ => c) = c.
Proof.
  induction loads as [|ws rest IH]; intros c; simpl; [reflexivity|].
  rewrite (E_jobs_ext _ _ _ (fun _ => c)) by (intros; apply IH). apply E_jobs_constant.
Qed.

Lemma E_state_affine : forall p loads a c f g,
  E_state p loads (fun st => a * f st + c + g st)
  = a * E_state p loads f + c + E_state p loads g.
Proof.
  intros p loads a c f g. rewrite <- (E_state_constant p loads c) at 1.
  rewrite Rplus_assoc, <- (Rmult_1_l (E_state p loads (fun _ => c))), <- !E_state_linear.
  apply E_state_ext. intros st _. ring.
Qed.

Lemma E_state_total : forall A p loads (f : A -> state -> R) xs,
  E_state p loads (fun st => total (map (fun i => f i st) xs))
  = total (map (fun i => E_state p loads (f i)) xs).
Proof.
  intros A p loads f xs. induction xs as [|x xs IH]; simpl; [apply E_state_constant|].
  rewrite <- IH, <- (Rmult_1_l (E_state p loads (f x))), <- E_state_linear.
  apply E_state_ext. intros st _. ring.
Qed.
