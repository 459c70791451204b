(** * First come, first served in expectation: the growth with the number of workers

    Workers multiply while slots add: with [lead G B] the mean of the largest of [G] independent
    loads of [B] slots less the mean load, [G1 G2] workers of [B1 + B2] slots have at least
    [lead G1 B1 + lead G2 B2].  So with [k = floor (log2 G)] every doubling of the workers can be
    given [floor (B / k)] slots of its own, and each adds what two workers have by their moments.
    This gives the order [G sigma sqrt (B log G)] with its constant for all [G >= 2] and
    [B >= floor (log2 G)], for every law with finitely many values.

    Claims: [fcfs.superadditive], [fcfs.log-growth]. *)

From Coq Require Import Reals Lra Lia List Arith.
From evenkeel Require Import Energy Extremes.
Import ListNotations.
Open Scope R_scope.

(** [M(G, B)]: mean of the largest of [G] independent loads of [B] slots, less the mean load. *)
Definition lead (G B : nat) (X : law) : R :=
  E_workers G (load_law B X) top - INR B * mean X.

(** ** Expectations over independent workers *)

Definition nonnegative (xs : list R) : Prop := Forall (fun x => 0 <= x) xs.

Lemma E_mono : forall f g X, is_law X -> (forall x, 0 <= x -> f x <= g x) -> E f X <= E g X.
Proof.
  intros f g X [F _] H. apply over_le. eapply Forall_impl; [|exact F].
  intros [p x]. simpl. intros [P Q]. apply Rmult_le_compat_l; auto.
Qed.

Lemma E_workers_mono : forall G L f g, is_law L ->
  (forall xs, length xs = G -> nonnegative xs -> f xs <= g xs) ->
  E_workers G L f <= E_workers G L g.
Proof.
  induction G; intros L f g LL H; simpl; [apply H; [reflexivity|constructor]|].
  apply E_mono; [exact LL|]. intros x N. apply IHG; [exact LL|].
  intros xs E F. apply H; [simpl; now rewrite E|now constructor].
Qed.

Lemma E_workers_ext : forall G L f g, (forall xs, length xs = G -> f xs = g xs) ->
  E_workers G L f = E_workers G L g.
Proof.
  induction G; intros L f g H; simpl; [now apply H|].
  apply E_ext. intros x. apply IHG. intros xs E. apply H. simpl. now rewrite E.
Qed.

Lemma E_workers_linear : forall G L a b f g,
  E_workers G L (fun xs => a * f xs + b * g xs) = a * E_workers G L f + b * E_workers G L g.
Proof.
  induction G; intros L a b f g; simpl; [reflexivity|].
  rewrite <- E_linear. apply E_ext. intros x. apply IHG.
Qed.

Lemma E_workers_constant : forall G L c, is_law L -> E_workers G L (fun _ => c) = c.
Proof.
  induction G; intros L c LL; simpl; [reflexivity|].
  rewrite (E_ext _ (fun _ => c)) by (intros; now apply IHG). now apply E_constant.
Qed.

Lemma E_workers_plus : forall G L c f, is_law L ->
  E_workers G L (fun xs => c + f xs) = c + E_workers G L f.
Proof.
  intros G L c f LL.
  rewrite (E_workers_ext G L _ (fun xs => 1 * (fun _ => c) xs + 1 * f xs)) by (intros; ring).
  rewrite E_workers_linear, E_workers_constant by exact LL. ring.
Qed.

Lemma E_workers_app : forall G H L f,
  E_workers (G + H) L f = E_workers G L (fun xs => E_workers H L (fun ys => f (xs ++ ys))).
Proof.
  induction G; intros H L f; simpl; [reflexivity|]. apply E_ext. intros x. apply IHG.
Qed.

(** The order of two finite expectations does not matter. *)
Lemma E_swap : forall f X Y,
  E (fun x => E (fun y => f x y) Y) X = E (fun y => E (fun x => f x y) X) Y.
Proof.
  intros f X Y. induction X as [|[p x] X IH].
  - transitivity (E (fun y => 0 * y + 0 * y) Y); [rewrite E_linear; unfold E, over; simpl; ring|].
    apply E_ext. intros y. unfold E, over. simpl. ring.
  - transitivity (E (fun y => p * f x y + 1 * E (fun x => f x y) X) Y).
    + rewrite E_linear, <- IH. unfold E at 1. rewrite over_cons. simpl. unfold E. ring.
    + apply E_ext. intros y. unfold E at 2. rewrite over_cons. simpl. unfold E. ring.
Qed.

Lemma E_workers_swap_one : forall G f X L,
  E (fun x => E_workers G L (fun ys => f x ys)) X
  = E_workers G L (fun ys => E (fun x => f x ys) X).
Proof.
  induction G; intros f X L; simpl; [reflexivity|]. rewrite E_swap. apply E_ext. intros y.
  exact (IHG (fun x ys => f x (y :: ys)) X L).
Qed.

Lemma E_workers_swap : forall G H f K L,
  E_workers G K (fun xs => E_workers H L (fun ys => f xs ys))
  = E_workers H L (fun ys => E_workers G K (fun xs => f xs ys)).
Proof.
  induction G; intros H f K L; simpl; [reflexivity|]. rewrite <- E_workers_swap_one.
  apply E_ext. intros x. exact (IHG H (fun xs ys => f (x :: xs) ys) K L).
Qed.

(** Only the expectations of a load count, not how its law is written. *)
Lemma E_workers_same : forall G K L f,
  (forall g, E g K = E g L) -> E_workers G K f = E_workers G L f.
Proof.
  induction G; intros K L f H; simpl; [reflexivity|]. rewrite H. apply E_ext. intros x.
  now apply IHG.
Qed.

Lemma load_split : forall A B X f,
  E f (load_law (A + B) X) = E f (plus (load_law A X) (load_law B X)).
Proof.
  induction A; intros B X f; simpl Nat.add.
  - rewrite E_plus. simpl. transitivity (E (fun y => f (0 + y)) (load_law B X)).
    + apply E_ext. intros y. f_equal. ring.
    + unfold E at 2. unfold over at 1. simpl. ring.
  - change (load_law (S (A + B)) X) with (plus X (load_law (A + B) X)).
    change (load_law (S A) X) with (plus X (load_law A X)).
    rewrite !E_plus. apply E_ext. intros x. rewrite IHA, E_plus. apply E_ext. intros y.
    apply E_ext. intros z. f_equal. ring.
Qed.

(** ** The largest of a list above a floor *)

Notation above := (fold_right Rmax).

(** Largest entry; 0 of no entries. *)
Definition best (xs : list R) : R := match xs with [] => 0 | x :: rest => above x rest end.

Lemma above_floor : forall xs s t, above (Rmax s t) xs = Rmax s (above t xs).
Proof.
  induction xs as [|x xs IH]; intros s t; simpl; [reflexivity|]. rewrite IH.
  rewrite !Rmax_assoc. f_equal. apply Rmax_comm.
Qed.

Lemma above_mono : forall xs s t, s <= t -> above s xs <= above t xs.
Proof. induction xs; intros s t H; simpl; [exact H|]. apply Rle_max_compat_l. auto. Qed.

Lemma above_app : forall xs ys t, xs <> [] -> above t (xs ++ ys) = above (Rmax (best xs) t) ys.
Proof.
  intros [|x xs] ys t N; [congruence|]. simpl. rewrite fold_right_app, above_floor.
  rewrite <- above_floor, Rmax_comm, above_floor. apply Rmax_comm.
Qed.

Lemma best_is_top : forall xs, nonnegative xs -> best xs = top xs.
Proof.
  intros [|x xs] F; [reflexivity|]. inversion F; subst. simpl.
  rewrite <- (Rmax_left x 0) at 1 by assumption. apply above_floor.
Qed.

(** ** One group of workers: the best second part keeps an independent first part *)

Definition rising (f : R -> R) : Prop := forall s t, s <= t -> f s <= f t.

(** [L1] is the law of a first part and [L2] of a second: among [n] more workers, besides one
    with second part [v], take the one whose second part is largest.  The choice does not look at
    first parts, so the first part of the chosen still has law [L1]. *)
Lemma best_second_part : forall n L1 L2 f v, is_law L1 -> is_law L2 -> rising f ->
  E_workers n L2 (fun ys => E (fun x => f (x + above v ys)) L1)
  <= E (fun x => E_workers n (plus L1 L2) (fun zs => f (above (x + v) zs))) L1.
Proof.
  induction n as [|n IH]; intros L1 L2 f v K1 K2 I; [simpl; lra|].
  assert (K : is_law (plus L1 L2)) by now apply plus_is_law.
  set (k := fun t => E_workers n (plus L1 L2) (fun zs => f (above t zs))).
  assert (Ik : rising k).
  { intros s t H. apply E_workers_le; [exact K|]. intros zs _. now apply I, above_mono. }
  apply Rle_trans with (E (fun y => E (fun x => k (x + Rmax y v)) L1) L2).
  - simpl. apply E_le; [exact K2|]. intros y.
    rewrite (E_workers_ext n L2 _ (fun ys => E (fun x => f (x + above (Rmax y v) ys)) L1)).
    + now apply IH.
    + intros ys _. apply E_ext. intros x. now rewrite above_floor.
  - apply Rle_trans with
      (E (fun y => E (fun x => E (fun x' => k (Rmax (x' + y) (x + v))) L1) L1) L2).
    + apply E_le; [exact K2|]. intros y. destruct (Rle_dec y v) as [H|H].
      * apply E_le; [exact K1|]. intros x. rewrite Rmax_right by exact H.
        rewrite <- (E_constant (k (x + v)) L1 K1). apply E_le; [exact K1|]. intros x'.
        apply Ik, Rmax_r.
      * rewrite Rmax_left by lra.
        rewrite <- (E_constant (E (fun x => k (x + y)) L1) L1 K1).
        apply E_le; [exact K1|]. intros x. apply E_le; [exact K1|]. intros x'. apply Ik, Rmax_l.
    + right. rewrite E_swap. apply E_ext. intros x. simpl. rewrite E_plus, E_swap.
      apply E_ext. intros x'. apply E_ext. intros y. unfold k. apply E_workers_ext.
      intros zs _. now rewrite above_floor.
Qed.

Lemma best_of_group : forall n L1 L2 f, is_law L1 -> is_law L2 -> rising f ->
  E (fun x => E_workers (S n) L2 (fun ys => f (x + best ys))) L1
  <= E_workers (S n) (plus L1 L2) (fun zs => f (best zs)).
Proof.
  intros n L1 L2 f K1 K2 I. rewrite E_workers_swap_one. simpl. rewrite E_plus, E_swap.
  apply E_le; [exact K2|]. intros y. now apply best_second_part.
Qed.

(** ** All groups: the best first part of the chosen *)

(** The mean of a largest is at least the largest with a mean in it. *)
Lemma above_of_mean : forall G L g ys, is_law L ->
  above (E_workers G L g) ys <= E_workers G L (fun us => above (g us) ys).
Proof.
  intros G L g ys LL. induction ys as [|y ys IH]; simpl; [apply Rle_refl|].
  apply Rmax_lub.
  - rewrite <- (E_workers_constant G L y LL) at 1. apply E_workers_le; [exact LL|].
    intros us _. apply Rmax_l.
  - eapply Rle_trans; [exact IH|]. apply E_workers_le; [exact LL|]. intros us _. apply Rmax_r.
Qed.

Lemma groups : forall n L1 L2, is_law L1 -> is_law L2 -> forall G m,
  let c := E_workers (S n) L2 best in
  c + E_workers G L1 (above m) <= E_workers (G * S n) (plus L1 L2) (above (c + m)).
Proof.
  intros n L1 L2 K1 K2. induction G as [|G IH]; intros m c; [apply Rle_refl|].
  assert (K : is_law (plus L1 L2)) by now apply plus_is_law.
  set (h := fun t => c + E_workers G L1 (above (t - c))).
  set (f := fun t => h (Rmax t (c + m))).
  assert (Ih : rising h).
  { intros s t H. unfold h. apply Rplus_le_compat_l. apply E_workers_le; [exact K1|].
    intros ys _. apply above_mono. lra. }
  assert (If : rising f).
  { intros s t H. apply Ih. now apply Rle_max_compat_r. }
  change (S G * S n)%nat with (S n + G * S n)%nat. rewrite E_workers_app.
  apply Rle_trans with (E_workers (S n) (plus L1 L2) (fun zs => f (best zs))).
  - eapply Rle_trans; [|now apply best_of_group].
    assert (X : forall x, f (x + c) <= E_workers (S n) L2 (fun ys => f (x + best ys))).
    { intros x. unfold f, h. rewrite E_workers_plus by exact K2. apply Rplus_le_compat_l.
      rewrite E_workers_swap. apply E_workers_le; [exact K1|]. intros ys _.
      eapply Rle_trans; [|now apply above_of_mean]. apply above_mono.
      rewrite (E_workers_ext (S n) L2 _
        (fun us => - c + Rmax (x + best us) (c + m))) by (intros; ring).
      rewrite E_workers_plus by exact K2.
      assert (Rmax (x + c) (c + m) <= E_workers (S n) L2 (fun us => Rmax (x + best us) (c + m)));
        [|lra].
      apply Rmax_lub.
      - apply Rle_trans with (E_workers (S n) L2 (fun us => x + best us)).
        + rewrite E_workers_plus by exact K2. unfold c. lra.
        + apply E_workers_le; [exact K2|]. intros us _. apply Rmax_l.
      - rewrite <- (E_workers_constant (S n) L2 (c + m) K2) at 1.
        apply E_workers_le; [exact K2|]. intros us _. apply Rmax_r. }
    apply Rle_trans with (E (fun x => f (x + c)) L1); [|now apply E_le].
    right. transitivity (E (fun x => 1 * E_workers G L1 (fun ys => above m (x :: ys)) + c) L1).
    { rewrite E_affine by exact K1. simpl. ring. }
    apply E_ext. intros x. unfold f, h. rewrite Rmult_1_l, Rplus_comm. f_equal.
    apply E_workers_ext. intros ys _. simpl.
    rewrite <- above_floor. f_equal. unfold Rmax.
    destruct (Rle_dec x m), (Rle_dec (x + c) (c + m)); lra.
  - apply E_workers_le; [exact K|]. intros zs N. unfold f, h.
    eapply Rle_trans; [apply IH|]. right. apply E_workers_ext. intros ys _.
    rewrite above_app by (intros E; rewrite E in N; discriminate). f_equal. unfold c. ring.
Qed.

(** ** [fcfs.superadditive] *)

Lemma best_and_top : forall G L, is_law L -> E_workers G L best = E_workers G L top.
Proof.
  intros G L LL. apply Rle_antisym; apply E_workers_mono; auto; intros xs _ N;
    right; [|symmetry]; now apply best_is_top.
Qed.

Lemma superadditive : forall G1 G2 B1 B2 X, (1 <= G1)%nat -> (1 <= G2)%nat -> is_law X ->
  lead G1 B1 X + lead G2 B2 X <= lead (G1 * G2) (B1 + B2) X.
Proof.
  intros [|G1] [|n] B1 B2 X H1 H2 LX; try lia. unfold lead.
  set (L1 := load_law B1 X). set (L2 := load_law B2 X).
  assert (K1 : is_law L1) by now apply load_is_law.
  assert (K2 : is_law L2) by now apply load_is_law.
  assert (K : is_law (plus L1 L2)) by now apply plus_is_law.
  rewrite (E_workers_same _ (load_law (B1 + B2) X) (plus L1 L2)) by (intros; apply load_split).
  set (c := E_workers (S n) L2 top).
  assert (c0 : 0 <= c).
  { unfold c. rewrite <- (E_workers_constant (S n) L2 0 K2). apply E_workers_le; [exact K2|].
    intros xs _. apply top_nonnegative. }
  pose proof (groups n L1 L2 K1 K2 (S G1) (- c)) as A. cbv zeta in A.
  rewrite best_and_top in A by exact K2. fold c in A. rewrite Rplus_opp_r in A.
  assert (B : E_workers (S G1) L1 (above (- c)) = E_workers (S G1) L1 top).
  { assert (Q : forall xs, length xs = S G1 -> nonnegative xs -> above (- c) xs = top xs).
    { intros [|x xs] N F; [discriminate|]. inversion F; subst. unfold top. simpl.
      rewrite <- !above_floor. f_equal. rewrite !Rmax_left; lra. }
    apply Rle_antisym; apply E_workers_mono; auto; intros xs N F; right; [|symmetry]; auto. }
  rewrite B in A. change (above 0) with top in A. rewrite plus_INR. lra.
Qed.

Lemma mean_of_load : forall B X, is_law X -> mean (load_law B X) = INR B * mean X.
Proof.
  intros B X LX. destruct (moments_of_load X LX B) as [M _]. cbv zeta in M.
  rewrite (E_ext _ (fun x => 1 * x + - (INR B * mean X))) in M by (intros; ring).
  rewrite E_affine in M by now apply load_is_law. unfold mean at 1. lra.
Qed.

Lemma one_worker : forall B X, is_law X -> lead 1 B X = 0.
Proof.
  intros B X LX. unfold lead. rewrite <- mean_of_load by exact LX.
  assert (L : is_law (load_law B X)) by now apply load_is_law.
  rewrite <- best_and_top by exact L. unfold mean. simpl. ring.
Qed.

Lemma more_workers : forall G H B X, (G <= H)%nat -> is_law X -> lead G B X <= lead H B X.
Proof.
  intros G H B X I LX. unfold lead. apply Rplus_le_compat_r.
  assert (L : is_law (load_law B X)) by now apply load_is_law.
  induction I as [|H I IH]; [lra|]. eapply Rle_trans; [exact IH|]. simpl.
  rewrite <- (E_constant (E_workers H (load_law B X) top) _ L) at 1. apply E_le; [exact L|].
  intros x. apply E_workers_le; [exact L|]. intros xs _. apply Rmax_r.
Qed.

Lemma more_slots : forall G B C X, (1 <= G)%nat -> (B <= C)%nat -> is_law X ->
  lead G B X <= lead G C X.
Proof.
  intros G B C X g I LX. pose proof (superadditive 1 G (C - B) B X (le_n 1) g LX) as A.
  rewrite one_worker in A by exact LX. rewrite Nat.mul_1_l, Nat.sub_add in A by exact I. lra.
Qed.

Lemma imbalance_is_lead : forall G B X, is_law X ->
  E_workers G (load_law B X) imbalance = INR G * lead G B X.
Proof.
  intros G B X LX. assert (L : is_law (load_law B X)) by now apply load_is_law.
  rewrite (E_workers_ext G _ _ (fun xs => INR G * top xs + 1 * (0 - 1 * sum xs))).
  - rewrite E_workers_linear, E_workers_sum, mean_of_load by assumption. unfold lead. ring.
  - intros xs N. unfold imbalance. rewrite N. ring.
Qed.

(** Workers multiply, slots add; and more workers or more slots lower nothing.  The expected
    imbalance is [G M(G, B)]. *)
Theorem fcfs_superadditive : forall X, is_law X ->
  (forall G1 G2 B1 B2, (1 <= G1)%nat -> (1 <= G2)%nat ->
     lead G1 B1 X + lead G2 B2 X <= lead (G1 * G2) (B1 + B2) X) /\
  (forall G H B C, (1 <= G <= H)%nat -> (B <= C)%nat -> lead G B X <= lead H C X) /\
  (forall G B, E_workers G (load_law B X) imbalance = INR G * lead G B X).
Proof.
  intros X LX. split; [|split].
  - intros. now apply superadditive.
  - intros G H B C [g I] J. apply Rle_trans with (lead G C X).
    + now apply more_slots.
    + now apply more_workers.
  - intros. now apply imbalance_is_lead.
Qed.

(** ** [fcfs.log-growth] *)

(** [G k sigma sqrt (n / (6 + (kappa - 3) / n))] with [k = floor (log2 G)] and [n = floor (B / k)],
    from the variance [v] and the fourth central moment [m4] of a slot. *)
Definition growth (G B : nat) (v m4 : R) : R :=
  let k := Nat.log2 G in let n := INR (B / k) in let kappa := m4 / v ^ 2 in
  INR G * INR k * sqrt v * sqrt (n / (6 + (kappa - 3) / n)).

(** The constant [c] of the order [c G sigma sqrt (B ln G)]. *)
Definition order_constant (kappa : R) : R := 2 / (3 * sqrt (ln 2 * (3 + Rmax 3 kappa))).

Lemma doublings : forall k n X, is_law X -> INR k * lead 2 n X <= lead (2 ^ k) (k * n) X.
Proof.
  induction k as [|k IH]; intros n X LX.
  - simpl Nat.pow. rewrite one_worker by exact LX. simpl. lra.
  - rewrite S_INR. simpl Nat.pow. replace (S k * n)%nat with (n + k * n)%nat by ring.
    rewrite Nat.add_0_r. replace (2 ^ k + 2 ^ k)%nat with (2 * 2 ^ k)%nat by ring.
    pose proof (IH n X LX) as A.
    assert (P : (1 <= 2 ^ k)%nat) by (apply Nat.neq_0_lt_0, Nat.pow_nonzero; lia).
    pose proof (superadditive 2 (2 ^ k) n (k * n) X ltac:(lia) P LX). lra.
Qed.

Lemma two_workers : forall n X, (1 <= n)%nat -> is_law X ->
  let v := moment 2 X in let b := INR n in 0 < v ->
  sqrt v * sqrt (b / (6 + (moment 4 X / v ^ 2 - 3) / b)) <= lead 2 n X.
Proof.
  intros n X N LX v b V. destruct (fcfs_pairing 2 X (le_n 2) LX V) as [P _].
  destruct (P n N) as (P1 & P2 & P3). fold v b in P1, P2, P3. cbv zeta in *.
  set (m4 := moment 4 X) in *. set (d2 := second b v) in *. set (d4 := fourth b v m4) in *.
  rewrite imbalance_is_lead in P2 by exact LX.
  assert (two : INR 2 = 2) by reflexivity. rewrite two in P1, P2, P3.
  set (y := 2 / 2 * (d2 * sqrt (d2 / d4))) in *. assert (Y : y <= 2 * lead 2 n X) by lra.
  assert (b1 : 1 <= b) by (apply le_INR in N; exact N).
  assert (M : 0 <= m4).
  { unfold m4, moment. rewrite <- (E_constant 0 X LX) at 1. apply E_le; [exact LX|].
    intros x. replace ((x - mean X) ^ 4) with (((x - mean X) ^ 2) ^ 2) by ring. apply pow2_ge_0. }
  assert (W : 0 < v ^ 2) by now apply pow_lt.
  assert (D : 0 < b * (6 + (m4 / v ^ 2 - 3) / b)).
  { replace (b * (6 + (m4 / v ^ 2 - 3) / b)) with (6 * b + m4 / v ^ 2 - 3) by (field; lra).
    assert (0 <= m4 / v ^ 2); [|lra]. unfold Rdiv. apply Rmult_le_pos; [exact M|].
    left. now apply Rinv_0_lt_compat. }
  set (D' := 6 + (m4 / v ^ 2 - 3) / b) in *.
  assert (D1 : 0 < D') by (apply (Rmult_lt_reg_l b); lra).
  assert (Q : 0 <= b / D').
  { left. apply Rdiv_lt_0_compat; lra. }
  assert (S : (2 * (sqrt v * sqrt (b / D'))) ^ 2 = y ^ 2).
  { rewrite P3. replace ((2 * (sqrt v * sqrt (b / D'))) ^ 2)
      with (4 * (sqrt v * sqrt v) * (sqrt (b / D') * sqrt (b / D'))) by ring.
    rewrite !sqrt_sqrt by lra.
    assert (F : d4 = 2 * b * v ^ 2 * (b * D')) by (unfold d4, fourth, D'; field; lra).
    rewrite F. unfold d2, second. field. repeat split; lra. }
  assert (Y0 : 0 <= y).
  { unfold y. apply Rmult_le_pos; [lra|]. apply Rmult_le_pos; [|apply sqrt_pos].
    unfold d2, second. apply Rmult_le_pos; lra. }
  assert (Z0 : 0 <= sqrt v * sqrt (b / D')) by (apply Rmult_le_pos; apply sqrt_pos).
  rewrite <- !Rsqr_pow2 in S. apply Rsqr_inj in S; lra.
Qed.

Lemma ln_of_power : forall m, ln (2 ^ m) = INR m * ln 2.
Proof.
  induction m as [|m IH]; [rewrite pow_O, ln_1; simpl; ring|].
  rewrite S_INR. simpl pow. rewrite ln_mult; [rewrite IH; ring|lra|now apply pow_lt; lra].
Qed.

Lemma ln_2_positive : 0 < ln 2.
Proof. rewrite <- ln_1. apply ln_increasing; lra. Qed.

(** [B log2 G <= (9 / 4) n k^2]: what rounding down costs. *)
Lemma rounding : forall G B, (2 <= G)%nat -> (Nat.log2 G <= B)%nat ->
  let k := INR (Nat.log2 G) in let n := INR (B / Nat.log2 G) in
  1 <= k /\ 1 <= n /\ INR B * ln (INR G) <= 9 / 4 * (n * k ^ 2) * ln 2.
Proof.
  intros G B g b k n.
  assert (K : (1 <= Nat.log2 G)%nat) by now apply (Nat.log2_le_mono 2).
  pose proof (Nat.log2_spec G ltac:(lia)) as [_ U].
  assert (N : (1 <= B / Nat.log2 G)%nat) by (apply Nat.div_le_lower_bound; lia).
  pose proof (Nat.div_mod B (Nat.log2 G) ltac:(lia)) as D.
  pose proof (Nat.mod_upper_bound B (Nat.log2 G) ltac:(lia)) as R.
  assert (I : (B + B / Nat.log2 G <= B / Nat.log2 G * (2 * Nat.log2 G))%nat) by nia.
  apply le_INR in I. rewrite plus_INR, !mult_INR in I. fold k n in I.
  replace (INR 2) with 2 in I by reflexivity.
  apply le_INR in K, N. fold k in K. fold n in N. change (INR 1) with 1 in *.
  split; [exact K|]. split; [exact N|].
  assert (L : ln (INR G) <= (k + 1) * ln 2).
  { unfold k. rewrite <- S_INR, <- ln_of_power. left. apply ln_increasing.
    - apply lt_0_INR. lia.
    - apply lt_INR in U. rewrite pow_INR in U. exact U. }
  pose proof ln_2_positive as l2. pose proof (pos_INR B) as B0.
  apply Rle_trans with (INR B * ((k + 1) * ln 2)); [now apply Rmult_le_compat_l|].
  rewrite <- Rmult_assoc. apply Rmult_le_compat_r; [lra|].
  apply Rle_trans with (n * (2 * k - 1) * (k + 1)); [apply Rmult_le_compat_r; lra|].
  assert (0 <= n * (k / 2 - 1) ^ 2) by (apply Rmult_le_pos; [lra|apply pow2_ge_0]). lra.
Qed.

Lemma growth_has_the_order : forall G B v m4, (2 <= G)%nat -> (Nat.log2 G <= B)%nat ->
  0 < v -> 0 <= m4 ->
  order_constant (m4 / v ^ 2) * INR G * sqrt v * sqrt (INR B * ln (INR G)) <= growth G B v m4.
Proof.
  intros G B v m4 g b V M. destruct (rounding G B g b) as (K & N & R). cbv zeta in *.
  unfold growth, order_constant. cbv zeta.
  set (k := INR (Nat.log2 G)) in *. set (n := INR (B / Nat.log2 G)) in *.
  assert (P : 0 <= m4 / v ^ 2).
  { unfold Rdiv. apply Rmult_le_pos; [exact M|]. left. now apply Rinv_0_lt_compat, pow_lt. }
  set (kappa := m4 / v ^ 2) in *. set (D := 6 + (kappa - 3) / n).
  set (Q := 3 + Rmax 3 kappa).
  assert (D1 : 3 <= D <= Q).
  { assert (Z : kappa - 3 = n * ((kappa - 3) / n)) by (field; lra).
    pose proof (Rmax_l 3 kappa). pose proof (Rmax_r 3 kappa). unfold D, Q.
    set (z := (kappa - 3) / n) in *. destruct (Rle_dec 0 z); split; nra. }
  pose proof ln_2_positive as l2.
  assert (A : 0 < ln 2 * Q) by (apply Rmult_lt_0_compat; lra).
  set (s := sqrt (ln 2 * Q)).
  assert (s0 : 0 < s) by now apply sqrt_lt_R0.
  assert (ss : s * s = ln 2 * Q) by (apply sqrt_sqrt; lra).
  assert (T : 0 <= INR B * ln (INR G)).
  { apply Rmult_le_pos; [apply pos_INR|]. rewrite <- ln_1. left. apply ln_increasing; [lra|].
    apply (lt_INR 1). lia. }
  set (t := sqrt (INR B * ln (INR G))).
  assert (tt : t * t = INR B * ln (INR G)) by now apply sqrt_sqrt.
  assert (t0 : 0 <= t) by apply sqrt_pos.
  set (r := sqrt (n / D)).
  assert (rr : r * r = n / D).
  { apply sqrt_sqrt. left. apply Rdiv_lt_0_compat; lra. }
  assert (r0 : 0 <= r) by apply sqrt_pos.
  assert (H : 2 / (3 * s) * t <= k * r).
  { apply Rsqr_incr_0_var; [|apply Rmult_le_pos; lra]. unfold Rsqr.
    replace (2 / (3 * s) * t * (2 / (3 * s) * t)) with (4 / 9 * (t * t) * / (s * s))
      by (field; lra).
    replace (k * r * (k * r)) with (k ^ 2 * (r * r)) by ring. rewrite tt, ss, rr.
    apply (Rmult_le_reg_r (ln 2 * Q)); [exact A|]. rewrite Rmult_assoc, Rinv_l by lra.
    apply Rle_trans with (n * k ^ 2 * ln 2); [lra|].
    assert (E : k ^ 2 * (n / D) * (ln 2 * Q) = n * k ^ 2 * ln 2 * (Q * / D)) by (field; lra).
    rewrite E. rewrite <- Rmult_1_r at 1. apply Rmult_le_compat_l.
    - apply Rmult_le_pos; [|lra]. apply Rmult_le_pos; [lra|]. apply pow2_ge_0.
    - apply (Rmult_le_reg_r D); [lra|]. rewrite Rmult_assoc, Rinv_l by lra. lra. }
  replace (2 / (3 * s) * INR G * sqrt v * t) with (INR G * sqrt v * (2 / (3 * s) * t)) by ring.
  replace (INR G * k * sqrt v * r) with (INR G * sqrt v * (k * r)) by ring.
  apply Rmult_le_compat_l; [|exact H].
  apply Rmult_le_pos; [apply pos_INR|apply sqrt_pos].
Qed.

(** [exp x >= y] gives [exp (2 x) >= z] for [z <= y^2]. *)
Lemma exp_doubles : forall x y z, 0 <= y -> y <= exp x -> z <= y * y -> z <= exp (2 * x).
Proof.
  intros x y z Y H Z. replace (2 * x) with (x + x) by ring. rewrite exp_plus. nra.
Qed.

Lemma ln_2_below : ln 2 <= 6969 / 10000.
Proof.
  rewrite <- (ln_exp (6969 / 10000)). destruct (Rle_lt_dec 2 (exp (6969 / 10000))) as [[H|H]|H].
  - left. apply ln_increasing; lra.
  - rewrite H at 1. lra.
  - exfalso. revert H. apply Rle_not_lt.
    set (x := 6969 / 1280000). pose proof (exp_ineq1_le x) as e0.
    assert (e1 : 1010918 / 1000000 <= exp (2 * x))
      by (eapply exp_doubles; [|exact e0|]; unfold x; lra).
    assert (e2 : 1021955 / 1000000 <= exp (2 * (2 * x))) by (eapply exp_doubles; [|exact e1|]; lra).
    assert (e3 : 1044392 / 1000000 <= exp (2 * (2 * (2 * x))))
      by (eapply exp_doubles; [|exact e2|]; lra).
    assert (e4 : 1090754 / 1000000 <= exp (2 * (2 * (2 * (2 * x)))))
      by (eapply exp_doubles; [|exact e3|]; lra).
    assert (e5 : 1189744 / 1000000 <= exp (2 * (2 * (2 * (2 * (2 * x))))))
      by (eapply exp_doubles; [|exact e4|]; lra).
    assert (e6 : 1415490 / 1000000 <= exp (2 * (2 * (2 * (2 * (2 * (2 * x)))))))
      by (eapply exp_doubles; [|exact e5|]; lra).
    replace (6969 / 10000) with (2 * (2 * (2 * (2 * (2 * (2 * (2 * x))))))) by (unfold x; lra).
    eapply exp_doubles; [|exact e6|]; lra.
Qed.

(** Sizes 1 and 2 at equal odds. *)
Definition coin : law := [(1 / 2, 1); (1 / 2, 2)].

(** For every law with finitely many values that varies, [G >= 2] and [B >= k = floor (log2 G)],
    with [n = floor (B / k)]: the expected imbalance is at least
    [G k sigma sqrt (n / (6 + (kappa - 3) / n))], which is at least [c G sigma sqrt (B ln G)] with
    [c = 2 / (3 sqrt (ln 2 (3 + max (3, kappa))))], not below 0.326 for [kappa <= 3].  Two workers
    of one slot and a fair coin attain the first bound. *)
Theorem fcfs_log_growth :
  (forall G B X, (2 <= G)%nat -> (Nat.log2 G <= B)%nat -> is_law X ->
     let v := moment 2 X in let m4 := moment 4 X in let kappa := m4 / v ^ 2 in 0 < v ->
     growth G B v m4 <= E_workers G (load_law B X) imbalance /\
     order_constant kappa * INR G * sqrt v * sqrt (INR B * ln (INR G)) <= growth G B v m4 /\
     (kappa <= 3 -> 326 / 1000 <= order_constant kappa)) /\
  is_law coin /\ 0 < moment 2 coin /\
  growth 2 1 (moment 2 coin) (moment 4 coin) = E_workers 2 (load_law 1 coin) imbalance.
Proof.
  split; [|split; [|split]].
  - intros G B X g b LX v m4 kappa V.
    destruct (rounding G B g b) as (K & N & _). cbv zeta in K, N.
    assert (N' : (1 <= B / Nat.log2 G)%nat) by (apply INR_le; exact N).
    assert (K' : (1 <= Nat.log2 G)%nat) by (apply INR_le; exact K).
    assert (M : 0 <= m4).
    { unfold m4, moment. rewrite <- (E_constant 0 X LX) at 1. apply E_le; [exact LX|].
      intros x. replace ((x - mean X) ^ 4) with (((x - mean X) ^ 2) ^ 2) by ring.
      apply pow2_ge_0. }
    split; [|split; [now apply growth_has_the_order|]].
    + rewrite imbalance_is_lead by exact LX. unfold growth. cbv zeta.
      rewrite !Rmult_assoc. apply Rmult_le_compat_l; [apply pos_INR|].
      apply Rle_trans with (INR (Nat.log2 G) * lead 2 (B / Nat.log2 G) X).
      * apply Rmult_le_compat_l; [lra|]. now apply two_workers.
      * eapply Rle_trans; [now apply doublings|].
        pose proof (Nat.log2_spec G ltac:(lia)) as [P _].
        pose proof (Nat.mul_div_le B (Nat.log2 G) ltac:(lia)) as Q.
        apply (proj1 (proj2 (fcfs_superadditive X LX))); [|exact Q].
        split; [|exact P]. apply Nat.neq_0_lt_0, Nat.pow_nonzero. lia.
    + intros H. unfold order_constant. rewrite Rmax_left by exact H.
      pose proof ln_2_below as U. pose proof ln_2_positive as l2.
      assert (A : 0 < ln 2 * (3 + 3)) by lra. set (s := sqrt (ln 2 * (3 + 3))).
      assert (s0 : 0 < s) by now apply sqrt_lt_R0.
      assert (S : s <= 20449 / 10000).
      { apply Rsqr_incr_0_var; [|lra]. unfold s. rewrite Rsqr_sqrt by lra. unfold Rsqr. lra. }
      apply (Rmult_le_reg_r (3 * s)); [lra|]. unfold Rdiv at 2. rewrite Rmult_assoc, Rinv_l by lra.
      lra.
  - split; [repeat constructor; simpl; lra|simpl; lra].
  - unfold moment, mean, E, over, coin. simpl. lra.
  - assert (V : moment 2 coin = (1 / 2) ^ 2).
    { unfold moment, mean, E, over, coin. simpl. lra. }
    assert (W : moment 4 coin = (1 / 2) ^ 4).
    { unfold moment, mean, E, over, coin. simpl. lra. }
    rewrite V, W. unfold growth. change (Nat.log2 2) with 1%nat. change (1 / 1)%nat with 1%nat.
    cbv zeta. replace (INR 1 / (6 + ((1 / 2) ^ 4 / ((1 / 2) ^ 2) ^ 2 - 3) / INR 1))
      with ((1 / 2) ^ 2) by (simpl; field).
    rewrite !sqrt_pow2 by lra. rewrite imbalance_is_lead.
    + unfold lead, mean, E_workers, load_law, coin, plus, E, over, top. simpl.
      repeat match goal with |- context [Rmax ?x ?y] =>
        first [rewrite (Rmax_left x y) by lra | rewrite (Rmax_right x y) by lra] end. lra.
    + split; [repeat constructor; simpl; lra|simpl; lra].
Qed.
